"""Two hundred files that somebody has damaged, one after the other: each is a sentence, and the page goes on."""

from __future__ import annotations

import random

import psutil
import pytest

from bulkhooks.web.sample import write_sample
from tests.web.server import text_of, upload

pytestmark = pytest.mark.heavy

SUFFIXES = ("xlsx", "xlsm", "xls", "ods", "csv", "tsv", "txt", "jsonl")


def test_two_hundred_damaged_files_are_a_sentence_or_a_table_each_and_memory_stays(rehearsal, person, tmp_path):
    chance = random.Random(14)
    write_sample(tmp_path / "sample.xlsx")
    whole = (tmp_path / "sample.xlsx").read_bytes()
    process = psutil.Process(rehearsal.process.pid)
    before = 0
    for number in range(200):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 5, 50, 500))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if chance.random() < 0.3:
            del content[chance.randrange(len(content)) :]
        answer = upload(person, f"{number}.{chance.choice(SUFFIXES)}", bytes(content))
        assert answer.status_code in {200, 400}
        assert "should not have" not in text_of(answer)
        assert "Traceback" not in answer.text
        if number == 50:
            before = process.memory_info().rss
    assert process.memory_info().rss < before + 100_000_000
    assert person.get("/").status_code == 200
    folders = list(rehearsal.state.rglob("draft.json"))
    assert len(folders) <= 20  # the oldest files of a person go first
