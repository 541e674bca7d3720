"""
The cases of an integration test: @case and run_cases(). One line per case:
`ok - FILE: TITLE (seconds)` or `not ok - FILE: TITLE`, the latter with the
traceback and the ends of the logs; tests/run counts these lines.
"""

import inspect
import os
import sys
import time
import traceback

_cases = []
LOG_TAIL = 1500


def case(title):
    """Marks a function as a case; its arguments: the stage, or none."""
    def mark(function):
        _cases.append((title, function))
        return function
    return mark


def _report(ok, name, title, seconds=None, detail=""):
    took = "" if seconds is None else f" ({seconds:.2f} s)"
    print(f"{'ok' if ok else 'not ok'} - {name}: {title}{took}")
    for line in detail.splitlines():
        print(f"    {line}")
    sys.stdout.flush()


def _log_tails(stage):
    text = ""
    if stage is None or not os.path.isdir(stage.log_directory):
        return text
    for name in sorted(os.listdir(stage.log_directory)):
        with open(os.path.join(stage.log_directory, name),
                  encoding="utf-8", errors="replace") as f:
            text += f"-- {name}\n{f.read()[-LOG_TAIL:]}\n"
    return text


def _run_one(name, title, function, arguments, stage):
    """True if it passed."""
    start = time.monotonic()
    try:
        function(*arguments)
        report = stage.sanitizer_report()
        if report is not None:
            raise AssertionError(report)
    except Exception:   # pylint: disable=broad-except
        _report(False, name, title, time.monotonic() - start,
                traceback.format_exc() + _log_tails(stage))
        return False
    _report(True, name, title, time.monotonic() - start)
    return True


def run_cases(file, prepare=None):
    """
    Runs the file's cases on one stage and exits: 0 if all passed. prepare
    (optional) is given the stage first; its failure fails the file.
    """
    from stage import Stage     # stage.py imports us

    name = os.path.splitext(os.path.basename(file))[0]
    words = sys.argv[1:]
    chosen = [(t, f) for t, f in _cases
              if not words or any(w in t for w in words)]
    failed = 0
    try:
        with Stage(name) as stage:
            if prepare is not None and \
                    not _run_one(name, "prepare", prepare, [stage], stage):
                failed = 1
                chosen = []
            for title, function in chosen:
                takes = len(inspect.signature(function).parameters)
                if not _run_one(name, title, function, [stage][:takes],
                                stage):
                    failed += 1
    except Exception:   # pylint: disable=broad-except
        _report(False, name, "stage", None, traceback.format_exc())
        failed += 1
    if not chosen and failed == 0:
        _report(False, name, "no case was chosen")
        failed = 1
    print(f"# {name}: {len(chosen) + (prepare is not None) - failed} passed,"
          f" {failed} failed")
    sys.exit(1 if failed else 0)
