//! Where a sink stands, step by step and at random.

use boltseal_audit::export::{Queue, Step};
use proptest::prelude::*;

#[test]
fn a_sink_that_keeps_up_gets_everything() {
    let mut queue = Queue::new(0, 1_000);
    assert_eq!(queue.next(0, 0, 10), Step::Idle);
    assert_eq!(queue.next(25, 0, 10), Step::Send(0..10));
    assert_eq!(queue.next(25, 0, 10), Step::Send(0..10), "it failed, so it is tried again");
    queue.sent();
    assert_eq!(queue.waiting(25), 15);
    assert_eq!(queue.next(25, 0, 100), Step::Send(10..25));
    queue.sent();
    assert_eq!(queue.next(25, 0, 100), Step::Idle);
    queue.sent();
    assert_eq!(queue.to_string(), "25 25");
    assert_eq!(queue.gap("none"), None);
}

#[test]
fn a_sink_that_was_away_is_told_what_it_lost() {
    let mut queue = Queue::new(10, 100);
    assert_eq!(queue.next(500, 0, 50), Step::Gap { from: 10, to: 400 });
    let gap = queue.gap("too slow").unwrap();
    assert_eq!((gap.from, gap.to, gap.reason.as_str()), (10, 400, "too slow"));
    // It is still away: the gap grows, and is told once.
    assert_eq!(queue.next(600, 0, 50), Step::Gap { from: 10, to: 500 });
    let mut queue = Queue::resume(&queue.to_string(), 100).unwrap();
    assert_eq!(queue.next(600, 0, 50), Step::Gap { from: 10, to: 500 });
    queue.sent();
    assert_eq!(queue.next(600, 0, 50), Step::Send(500..550));
}

#[test]
fn what_retention_archived_is_a_gap() {
    let mut queue = Queue::new(0, 1_000_000);
    assert_eq!(queue.next(5_000, 2_560, 100), Step::Gap { from: 0, to: 2_560 });
    queue.sent();
    assert_eq!(queue.next(5_000, 2_560, 100), Step::Send(2_560..2_660));
}

#[test]
fn what_a_sink_refuses_is_a_gap() {
    let mut queue = Queue::new(0, 1_000);
    assert_eq!(queue.next(3, 0, 10), Step::Send(0..3));
    queue.skip(1);
    assert_eq!(queue.next(3, 0, 10), Step::Gap { from: 0, to: 1 });
    queue.sent();
    assert_eq!(queue.next(3, 0, 10), Step::Send(1..3));
}

#[test]
fn a_log_that_got_shorter_is_not_the_same_log() {
    let mut queue = Queue::new(10, 100);
    assert_eq!(queue.next(9, 0, 10), Step::Ahead { next: 10, size: 9 });
    queue.sent();
    assert_eq!(queue.to_string(), "10 10");
}

#[test]
fn positions_that_make_no_sense_are_refused() {
    for text in ["", "1", "2 1", "-1 2", "a b", "1 2 3", "1  2"] {
        assert!(Queue::resume(text, 1).is_err(), "{text}");
    }
    assert_eq!(Queue::resume(" 3 7\n", 1).unwrap().to_string(), "3 7");
}

#[derive(Clone, Debug)]
enum Move {
    Grow(u64),
    Archive(u64),
    Send { most: u64, works: bool },
    Restart,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0_u64..200).prop_map(Move::Grow),
        (0_u64..300).prop_map(Move::Archive),
        (0_u64..80, any::<bool>()).prop_map(|(most, works)| Move::Send { most, works }),
        Just(Move::Restart),
    ];
    proptest::collection::vec(one, 0..60)
}

proptest! {
    /// Every record is sent once and in order, or is in a gap that was told in its place, or waits.
    #[test]
    fn nothing_is_lost_in_silence(moves in moves(), limit in 1_u64..150) {
        let (mut size, mut archived, mut queue) = (0_u64, 0_u64, Queue::new(0, limit));
        let mut told = 0;
        for step in moves {
            match step {
                Move::Grow(by) => size += by,
                Move::Archive(to) => archived = archived.max(to.min(size)),
                Move::Restart => queue = Queue::resume(&queue.to_string(), limit).unwrap(),
                Move::Send { most, works } => {
                    let (from, to) = match queue.next(size, archived, most) {
                        Step::Idle => (told, told),
                        Step::Gap { from, to } => (from, to),
                        Step::Send(range) => {
                            prop_assert!(range.start >= archived && !range.is_empty());
                            prop_assert!(range.end - range.start <= most.max(1));
                            (range.start, range.end)
                        }
                        Step::Ahead { .. } => return Err(TestCaseError::fail("the log never shrinks")),
                    };
                    prop_assert_eq!(from, told);
                    prop_assert!(to <= size && queue.waiting(size) <= limit);
                    if works {
                        queue.sent();
                        told = to;
                    }
                }
            }
        }
    }
}
