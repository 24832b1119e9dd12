"""Find the Java that Spark will start, and say in one sentence what to do when there is none.

Only the standard library is used: the set-up script runs this before anything is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from claimatlas.errors import InputError

SUPPORTED = (17, 21)

REMEDY = (
    "Install a Java 17 runtime (Debian or Ubuntu: openjdk-17-jre-headless; macOS: the openjdk@17 formula) "
    "and set JAVA_HOME to its folder."
)


def find_java() -> str:
    """Return the path of the `java` program that Spark's own scripts would choose.

    Raises:
        InputError: There is none.
    """
    home = os.environ.get("JAVA_HOME")
    if home:
        java = os.path.join(home, "bin", "java")  # noqa: PTH118 - as Spark's scripts write it
        if not shutil.which(java):
            raise InputError(f"JAVA_HOME is {home}, but there is no bin/java in it. {REMEDY}")
        return java
    found = shutil.which("java")
    if found is None:
        raise InputError(f"Spark needs Java, and neither JAVA_HOME nor PATH leads to one. {REMEDY}")
    return found


def check_java() -> str:
    """Check that Java can be started and has a supported version; return the full version.

    Raises:
        InputError: Java is missing, does not start or has another version.
    """
    java = find_java()
    try:
        answer = subprocess.run(
            [java, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{java} cannot be started. {REMEDY}") from error
    # Java writes its version on standard error; 8 and before call themselves 1.8.
    match = re.search(r'version "((?:1\.)?(\d+)[^"]*)"', answer.stderr + answer.stdout)
    if answer.returncode != 0 or match is None:
        raise InputError(f"{java} does not tell its version. {REMEDY}")
    version, major = match.group(1), int(match.group(2))
    if major not in SUPPORTED:
        raise InputError(f"{java} is Java {version}, but Java 17 or 21 is needed. {REMEDY}")
    return version


def require_supported(specification: str) -> None:
    """Refuse the Java that runs already, by its `java.specification.version`, such as 17.

    Raises:
        InputError: it is not a supported one.
    """
    if specification not in map(str, SUPPORTED):
        raise InputError(f"Spark was started by Java {specification}, but Java 17 or 21 is needed. {REMEDY}")


def main() -> int:
    """Say what is wrong with the Java that would be started, for a script; return the exit code."""
    try:
        check_java()
    except InputError as error:
        sys.stderr.write(f"claimatlas: {error}\n")
        return error.exit_code
    return 0
