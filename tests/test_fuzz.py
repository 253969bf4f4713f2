"""Three hundred damaged files of every kind; `make fuzz` runs ten thousand."""

from fuzz import fuzz


def test_damaged_files_do_no_damage() -> None:
    answers = dict(fuzz(300))
    assert not {number: answer["found"] for number, answer in answers.items() if answer["found"]}
    statuses = [answer["status"] for answer in answers.values()]
    assert statuses.count("failed") > 100, "damage is noticed"
    assert statuses.count("restored") > 20, "not everything is refused at the door"
