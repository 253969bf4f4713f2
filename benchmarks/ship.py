"""Put a trained model among the shipped ones, with scores that anybody can reproduce by the command that stands beside them in its card.

    python benchmarks/ship.py runs/tiny-deblur/model.onnx "tiny-validation blur:1.0+8bit" ["DATA DEGRADATION" ...] ["DATA CLEAN/" ...]

Each score is what `burnish evaluate NAME --data DATA --degrade DEGRADATION --json` prints for the model, the classical filters beside it,
or with `--clean CLEAN`, where the second is a folder (told by its slash) of the truths of real pairs. DATA!N stands for the first N images,
and without the filters; of sound, DATA,NOISES stands for voices and for what noise is drawn from. A model that learnt from the same data as
the one it takes the place of keeps what that one's card says of them. The scores go into the card and to benchmarks/scores/NAME.json.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from burnish.files import write_text
from burnish.model import file as model_file
from burnish.model.card import licence_for

SCORES = Path(__file__).parent / "scores"


def main(source: Path, *scored: str) -> None:
    """Copy the model under its card's name, score it, write the scores into it."""
    name = model_file.read_card(source).name
    shipped = model_file.FOLDER / f"{name}.onnx"
    before = model_file.read_card(shipped).data if shipped.exists() else {}
    if source.resolve() != shipped.resolve():
        shutil.copyfile(source, shipped)
    card = model_file.read_card(shipped)
    if before.get("fingerprint") == card.data.get("fingerprint"):
        card = replace(card, data=before, licence=licence_for(str(before.get("terms", ""))))
    scores = [score(name, *each.split()) for each in scored]
    model_file.write_card(shipped, replace(card, scores=scores))
    write_text(SCORES / f"{name}.json", json.dumps(scores, indent=1) + "\n")


def score(name: str, data: str, against: str) -> dict[str, object]:
    """The scoreboard that the documented command prints, and the command."""
    data, _, noises = data.partition(",")
    folder, _, count = data.partition("!")
    few = ["--json", *(["--limit", count, "--no-baselines"] if count else [])]
    beside = ["--noises", noises] if noises else []
    given = ["--clean" if against.endswith("/") else "--degrade", against, *few]
    printed = subprocess.run(
        [sys.executable, "-m", "burnish", "evaluate", name, "--data", folder, *beside, *given],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    told = [f"{Path(against).name}/" if against.endswith("/") else against, *few]
    command = " ".join(
        ["burnish evaluate", name, "--data", _told(folder), *(["--noises", _told(noises)] if noises else []), given[0], *told]
    )
    return json.loads(printed) | ({"data": _told(folder)} if noises else {}) | {"command": command}


def _told(folder: str) -> str:
    """A folder as a command names it: speech/dev for what lies there, wherever that is."""
    path = Path(folder)
    return f"{path.parent.name}/{path.name}" if path.name in ("dev", "train") else path.name


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
