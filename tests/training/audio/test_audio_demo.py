"""The demo for sound: voices made, a network trained, scored and shown, offline."""

from pathlib import Path

import pytest

from burnish.training.audio import demo


def test_the_demo_makes_voices_learns_from_them_and_shows_what_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "VOICES", 4)
    monkeypatch.setattr(demo, "SECONDS", 3.0)
    said: list[str] = []
    (board,) = demo.demo(tmp_path, said.append, minutes=0.02)
    assert len(list((tmp_path / "voices").glob("*.wav"))) == 4
    assert board.kind == "audio"
    assert board.items == 1
    page = (tmp_path / "demo-speech" / "report.html").read_text("utf-8")
    assert page.count("<audio") == 3
    assert (tmp_path / "demo-speech" / "model.onnx").exists()
