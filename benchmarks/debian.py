"""Files of Debian packages for the benchmarks: fetched and unpacked into a folder, not installed."""

import shutil
import subprocess
from pathlib import Path


def unpacked(package: str, folder: Path, version: str = "") -> Path | None:
    """Where the package's files lie, unpacked into `folder/PACKAGE` if not there yet; None where there is no apt or no such package.

    With a `version`, that one and no other.
    """
    there = folder / package
    if there.exists():
        return there
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    wanted = f"{package}={version}" if version else package
    if subprocess.run(["apt-get", "download", "-q", wanted], cwd=folder, capture_output=True).returncode:
        return None
    archive = next(folder.glob(f"{package}_*.deb"))
    partial = folder / f"{package}.partial"
    subprocess.run(["dpkg-deb", "-x", archive, partial], check=True)
    archive.unlink()
    partial.rename(there)
    return there
