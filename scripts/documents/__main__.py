"""Write the generated parts of the documents; with ``--check`` only say which are not current."""

import sys

from scripts.documents.pages import ROOT, rendered


def main(arguments: list[str]) -> int:
    stale = [file for file, text in rendered() if not file.exists() or file.read_text(encoding="utf-8") != text]
    if "--check" not in arguments:
        texts = dict(rendered())
        for file in stale:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(texts[file], encoding="utf-8")
    said = "not current" if "--check" in arguments else "written"
    for file in stale:
        print(f"{file.relative_to(ROOT)}: {said}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
