"""The parts of the documents that follow from the code: ``python -m scripts.documents`` writes them anew."""
