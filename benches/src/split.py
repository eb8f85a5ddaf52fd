"""LangChain's recursive splitter on the text that `split.rs` splits: `split.py FILE`."""

import sys
import time
from importlib.metadata import version

from langchain_text_splitters import RecursiveCharacterTextSplitter

text = open(sys.argv[1], encoding="utf-8", newline="").read()
splitter = RecursiveCharacterTextSplitter(chunk_size=1024, chunk_overlap=0)
speeds = []
for _ in range(5):
    start = time.perf_counter()
    splitter.split_text(text)
    speeds.append(len(text.encode()) / 1e6 / (time.perf_counter() - start))
name = f"LangChain {version('langchain-text-splitters')}, recursive, characters (Python)"
print(f"{name:<69} {sorted(speeds)[2]:>5.1f} MB/s")
