#!/usr/bin/env python3
"""A stand-in for gcloud: answers from a file, by the words it is asked with, and notes each call.

CALLS is where each call is noted, ANSWERS the file: {"run services describe": answer}, the longest words that
begin what is asked. What has no answer is refused as gcloud refuses it. An `update` changes the image of what
`describe` answers.
"""

import json
import os
import sys
from pathlib import Path


def main(words: list[str]) -> int:
    answers_file, calls = Path(os.environ["ANSWERS"]), Path(os.environ["CALLS"])
    with calls.open("a", encoding="utf-8") as notes:
        notes.write(json.dumps(words) + "\n")
    answers, asked = json.loads(answers_file.read_text(encoding="utf-8")), " ".join(words)
    if " update " in asked:
        named = asked.partition(" update ")[0] + " describe"
        answers[named]["image"] = words[words.index("--image") + 1]
        answers_file.write_text(json.dumps(answers), encoding="utf-8")
        return 0
    known = [key for key in answers if asked.startswith(key)]
    if not known:
        print(f"ERROR: (gcloud) NOT_FOUND: {asked}", file=sys.stderr)
        return 1
    answer = answers[max(known, key=len)]
    if any("value(" in word for word in words) or words[:2] == ["config", "get-value"]:
        print(answer["image"] if isinstance(answer, dict) else answer)
    else:
        print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
