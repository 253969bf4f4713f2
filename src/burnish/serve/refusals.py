"""What the server does not do, as one shape of answer: a status, a word for programs, a line for people."""

from burnish.errors import one_line

MEANINGS = {  # status, its word for programs, and when it is answered; the description of the API lists them
    "wrong-parameter": (400, "a parameter that is not known, given twice, or out of range"),
    "no-body": (400, "nothing was sent"),
    "broken-request": (400, "what came is no HTTP, or less than was said"),
    "no-token": (401, "a token is needed, and none or another was sent"),
    "other-host": (403, "the name that the request is for is not one of this server"),
    "other-origin": (403, "a page of another site sent the request"),
    "not-found": (404, "there is nothing under that address"),
    "wrong-method": (405, "the address knows other methods"),
    "too-slow": (408, "the file did not come in time"),
    "too-many-bytes": (413, "the file is larger than this server takes"),
    "wrong-type": (415, "what was sent is no image or recording of a kind that is restored here"),
    "too-many-pixels": (422, "the image has more pixels than this server takes"),
    "too-many-frames": (422, "the image has more frames or pages than this server takes"),
    "too-many-seconds": (422, "the recording is longer than this server takes"),
    "not-restored": (422, "the file is broken, or the model cannot take it"),
    "queue-full": (429, "too many wait already"),
    "fault": (500, "a fault of the program"),
    "too-long": (503, "the file took longer than this server works on one"),
    "no-room": (503, "the server has no memory, disk or files left"),
}


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """An answer other than what was asked for: a `code` of MEANINGS, a line for people, and what headers belong to it."""

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, one_line(message)
        self.status = MEANINGS[code][0]
        self.headers = headers or {}

    def to_json(self) -> dict[str, dict[str, int | str]]:
        """The body of the answer."""
        return {"error": {"status": self.status, "code": self.code, "message": self.message}}
