"""`burnish bulk`."""

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from burnish.cli.words import complain, say
from burnish.errors import StoreError, one_line

if TYPE_CHECKING:
    from burnish.bulk.report import Totals

SHOWN = 20  # failures and remarks that are shown; the report has all


def share_of(_context: click.Context, _option: click.Parameter, value: str) -> tuple[int, int]:
    """I/N as two numbers."""
    index, _, count = value.partition("/")
    if index.isdecimal() and count.isdecimal() and 0 <= int(index) <= int(count) > 0:
        return int(index), int(count)
    raise click.BadParameter(f"{value!r} is no share; write i/n, such as 3/16, i from 0 to 15 or from 1 to 16")


@click.command(
    epilog="\b\nExamples:\n  burnish bulk photos/ -o better/\n  burnish bulk s3://archive/photos -o s3://archive-restored"
    "\n  burnish bulk list.txt -o /mnt/better --shard $SLURM_ARRAY_TASK_ID/100\n  burnish bulk --report /mnt/better"
)
@click.argument("source")
@click.option("-o", "--out", metavar="TARGET", help="Where the results go: a folder or a URL.")
@click.option("-m", "--model", "name", metavar="MODEL", help="A shipped model's name or a model file.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Who does it: processes of this machine, or a Ray cluster (RAY_ADDRESS, or one that is started here).",
)
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="How many at once. [one for each CPU]")
@click.option(
    "--shard", "share", default="0/1", callback=share_of, metavar="I/N", help="Do every N-th shard only: one command of N, on N machines."
)
@click.option("--report", "reported", is_flag=True, help="Add up what has been done. Without -o, SOURCE is the target of earlier work.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, a line each; of a report, one object.")
def bulk(
    source: str,
    out: str | None,
    name: str | None,
    engine: str,
    processes: int | None,
    share: tuple[int, int],
    reported: bool,
    as_json: bool,
) -> None:
    """Restore all images of SOURCE into TARGET as `burnish restore` does, each once, however often the command or a machine is broken off.

    SOURCE is a folder, a URL (s3://, gs://), or a file with paths or URLs in it: text, CSV, Parquet. The same command given again goes on;
    several may work into one TARGET at once. What became of the files is kept in TARGET/.burnish.
    """
    if not out and not reported:
        raise click.UsageError("say with -o where the results go")
    failed = _work(source, out, name, engine, processes, share, as_json) if out else False
    if reported:
        _report(out or source, as_json)
    if failed:
        sys.exit(1)


def _work(source: str, out: str, name: str | None, engine: str, processes: int | None, share: tuple[int, int], as_json: bool) -> bool:
    """Do it, and say how it ended; returns whether an input failed."""
    from burnish import progress
    from burnish.bulk import engines, places
    from burnish.bulk.report import Totals
    from burnish.bulk.shards import Job
    from burnish.image.model import Model
    from burnish.model import file as model_file

    model = model_file.read(name or model_file.default())
    if model.card.kind == "image":
        Model(model).check_restores()
    job = Job(out, name or model_file.default(), model.digest)
    places.check(places.placed(out))
    totals, faults, told, before, held_up = Totals(), 0, 0, 0, 0

    def remark(line: str, failed: bool) -> None:
        nonlocal faults, told
        faults += failed
        told += 1
        if told <= SHOWN:
            complain(one_line(line))

    with contextlib.ExitStack() as stack:
        shown = stack.enter_context(progress.shown("restoring"))
        counter = engines.Counter(shown, lambda: engines.shards_of(source, job, share, lambda *_: None))

        def tell(outcome: dict[str, Any]) -> None:
            counter.tell(outcome)
            if as_json:
                say(json.dumps(outcome))

        shards = engines.shards_of(source, job, share, remark)
        work = stack.enter_context(contextlib.closing(engines.ENGINES[engine](shards, job, processes, tell)))
        for ended in work:
            for outcome in ended.outcomes:
                totals.add(outcome)
            for why in ended.held_up:
                complain(one_line(f"left for later: {why}"))
            held_up += len(ended.held_up)
            if ended.before:
                before += 1
                counter.before(len(ended.outcomes))
            if ended.stop:
                raise StoreError(f"{ended.stop}; then give the same command again, and it goes on")
    _tell_end(totals, told, before, held_up)
    return bool(totals.failures or faults or held_up)


def _tell_end(totals: "Totals", told: int, before: int, held_up: int) -> None:
    complain(totals.counts() + (f"; {before:,} shards were finished before" if before else ""))
    for _, error in totals.failures[:SHOWN]:
        complain(one_line(f"failed: {error}"))
    if len(totals.failures) > SHOWN:
        complain(f"and {len(totals.failures) - SHOWN:,} more failed; --report tells them all")
    if told > SHOWN:
        complain(f"{told:,} lines or folders in all were passed over, of which the first {SHOWN} were told")
    if held_up:
        complain(f"{held_up:,} files are left for later: give the same command again")


def _report(target: str, as_json: bool) -> None:
    from burnish.bulk.places import placed
    from burnish.bulk.report import report

    totals = report(placed(target))
    if as_json:
        say(json.dumps(totals.to_json()))
        return
    say(totals.words())
    for _, error in totals.failures:
        say(one_line(f"failed: {error}"))
