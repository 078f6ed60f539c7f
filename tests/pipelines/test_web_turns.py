"""Facts about `pipelines.web.turns`: no site is asked more often than it should be, and none holds up the others."""

from __future__ import annotations

from pipelines.web.turns import LOST, Job, Manners, Turns


def job(number: int, host: str = "a.test") -> Job:
    return Job(0, str(number), f"https://{host}/{number}", host)


def test_a_site_gets_no_more_connections_than_agreed():
    """With two at once, the third waits for one of them to be done."""
    turns = Turns(Manners(per_host=2, pause_s=0.0))
    jobs = [job(at) for at in range(3)]
    for one in jobs:
        turns.add(one)
    assert [turns.take(0.0), turns.take(0.0), turns.take(0.0)] == [jobs[0], jobs[1], None]
    assert turns.wait_s(0.0) is None
    turns.done(jobs[1], reached=True)
    assert turns.take(0.0) == jobs[2]
    assert turns.waiting == 0


def test_requests_to_a_site_keep_their_distance_and_others_go_first():
    """Between two requests to a site the pause passes, in which other sites have their turn."""
    turns = Turns(Manners(per_host=4, pause_s=1.0))
    for one in (job(0), job(1), job(2, "b.test")):
        turns.add(one)
    assert [turns.take(0.0), turns.take(0.0), turns.take(0.5)] == [job(0), job(2, "b.test"), None]
    assert turns.wait_s(0.4) == 0.6
    assert turns.take(1.0) == job(1)


def test_another_try_comes_later_each_time_and_ends():
    """The second try waits, the third twice as long, a fourth there is not; the whole site has the patience that it asked for."""
    turns = Turns(Manners(per_host=1, pause_s=0.0, tries=3, again_s=10.0))
    turns.add(job(0))
    turns.add(job(1))
    one = turns.take(0.0)
    turns.done(one, reached=True)
    assert turns.again(one, 0.0, None)
    assert turns.take(9.0) is None
    other = turns.take(10.0)
    assert other == job(1)
    turns.done(other, reached=True)
    one = turns.take(10.0)
    turns.done(one, reached=True)
    assert turns.again(one, 10.0, None)
    assert (turns.take(29.0), turns.take(30.0)) == (None, one._replace(tried=2))
    turns.done(one, reached=True)
    assert not turns.again(one._replace(tried=2), 30.0, None)
    assert not turns.again(job(5), 30.0, 3600.0)


def test_a_site_that_never_answers_is_given_up():
    """After so many failed connections in a row a host is lost; one that answers in between is not."""
    turns = Turns(Manners(per_host=1, pause_s=0.0))
    for at in range(2 * LOST):
        turns.add(job(at))
    for at in range(LOST):
        one = turns.take(0.0)
        assert not turns.lost(one)
        turns.done(one, reached=at == 0)
    one = turns.take(0.0)
    assert not turns.lost(one)
    turns.done(one, reached=False)
    one = turns.take(0.0)
    assert turns.lost(one)
    assert not turns.again(one, 0.0, None)


def test_thousands_of_sites_may_ask_for_patience_at_once():
    """Sites that were listed for now and have to wait since are passed over, however many they are."""
    turns, hosts = Turns(Manners(pause_s=0.0)), [f"h{at}.test" for at in range(3000)]
    for host in hosts * 2:
        turns.add(job(0, host))
    for _ in hosts:
        one = turns.take(0.0)
        turns.done(one, reached=True)
        turns.again(one, 0.0, 10.0)
    assert turns.take(1.0) is None
    assert (turns.wait_s(1.0), turns.waiting) == (9.0, 6000)
    assert turns.take(10.0).host == "h0.test"
