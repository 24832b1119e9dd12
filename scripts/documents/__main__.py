"""Write the generated parts of the documents; with ``--check`` only say which are not current."""

import sys

from scripts.documents.pages import ROOT, generated, rendered


def main(arguments: list[str]) -> int:
    only_check = "--check" in arguments
    stale = 0
    for file in generated():
        text = rendered(file)
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if not only_check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        print(f"{file.relative_to(ROOT)}: {'not current' if only_check else 'written'}")
    return 1 if only_check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
