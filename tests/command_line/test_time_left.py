from fullbake.command_line.time_left import TimeLeft


def test_the_time_left_is_that_of_the_steps_after_the_first():
    clock = iter([100.0, 102.0, 104.0, 106.0, 108.0]).__next__
    left = TimeLeft(clock)
    assert [left.after(done, 40) for done in (1, 2, 3, 4, 5)] == [
        *("", "", "", "about 1 min 12 s left", "about 1 min 10 s left")
    ]


def test_other_work_is_timed_anew():
    clock = iter([0.0, 10.0, 10.0, 13.0, 20.0, 30.0]).__next__
    left = TimeLeft(clock)
    assert [left.after(done, 20) for done in (0, 10)] == ["", "about 10 s left"]
    assert [left.after(done, 8) for done in (0, 6)] == ["", "about 1.0 s left"]
    assert [left.after(done, 8) for done in (-1, 3)] == ["", "about 12 s left"]
