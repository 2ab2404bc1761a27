from tests.components.csv_mutator import run


def test_damaged_files_are_read_whole_or_refused_in_one_line():
    outcomes = run(200)
    assert {"refused", "some bad", "all good", "joined", "ordinary quotes"} <= outcomes.keys()
