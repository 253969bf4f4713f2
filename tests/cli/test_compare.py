"""`burnish compare`."""

import json
from pathlib import Path

from command import burnish_, refused


def test_compare_lays_runs_side_by_side(tmp_path: Path) -> None:
    for name, loss in (("one", 0.5), ("two", 0.25)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.toml").write_text(f'name = "{name}"\nepochs = 1\n')
        (tmp_path / name / "history.csv").write_text(f"epoch,seconds,loss,val_loss\n1,60,{loss},{loss}\n")
    result = burnish_("compare", "one", "two", "--json", "--report", "page.html", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert [json.loads(line)["best_val_loss"] for line in result.stdout.splitlines()] == [0.5, 0.25]
    assert "<polyline" in (tmp_path / "page.html").read_text("utf-8")
    shown = burnish_("compare", "one", "two", cwd=tmp_path)
    assert "best validation loss" in shown.stdout
    refused(burnish_("compare", "one", "none", cwd=tmp_path), 1, "none: no run's folder")
    again = ["compare", "one", "two", "--report", "page.html"]
    refused(burnish_(*again, cwd=tmp_path), 1, "page.html: exists already", "--overwrite")
    assert burnish_(*again, "--overwrite", cwd=tmp_path).returncode == 0
