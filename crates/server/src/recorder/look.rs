//! Looking at the log is recorded, but not each of the many requests that one look is made of.
//!
//! A mirror asks for ten thousand tiles, and whoever follows the log asks every second: were each of them an entry, the log
//! would grow by being read, and followers would mostly see each other.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use boltseal_audit::Record;

use super::Recorder;

/// Requests of the same principal, session and address within so many seconds are one look.
const LOOK: i64 = 60;
/// Looks that are remembered; beyond it some are recorded more often.
const MAX_LOOKS: usize = 1_000;

/// Who looked: principal, session, address.
type Who = (String, Option<String>, Option<IpAddr>);

/// When each look began, in seconds.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<HashMap<Who, i64>>);

impl Looks {
    fn goes_on(&self, who: &Who, now: i64) -> bool {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.get(who).is_some_and(|began| (*began..*began + LOOK).contains(&now))
    }

    fn began(&self, who: Who, now: i64) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() >= MAX_LOOKS {
            looks.retain(|_, began| *began + LOOK > now);
        }
        if looks.len() >= MAX_LOOKS {
            looks.clear();
        }
        looks.insert(who, now);
    }
}

impl Recorder {
    /// Writes that somebody looks at the log, unless that was written within the last minute.
    pub(crate) async fn note_look(&self, record: &Record) -> Result<(), boltseal_store::Error> {
        let (actor, now) = (&record.actor, record.time.as_second());
        let who = (actor.id.clone(), actor.session.clone(), record.source.address);
        if self.0.looks.goes_on(&who, now) {
            return Ok(());
        }
        self.note(record).await?;
        self.0.looks.began(who, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_lasts_a_minute_and_memory_is_bounded() {
        let (looks, who) = (Looks::default(), |name: &str| (name.to_owned(), None, None));
        assert!(!looks.goes_on(&who("a"), 100));
        looks.began(who("a"), 100);
        for (now, expected) in [(100, true), (159, true), (160, false), (99, false)] {
            assert_eq!(looks.goes_on(&who("a"), now), expected, "{now}");
        }
        assert!(
            !looks.goes_on(&who("b"), 100)
                && !looks.goes_on(&("a".to_owned(), Some("s".to_owned()), None), 100)
        );
        for n in 0..3 * MAX_LOOKS {
            looks.began(who(&n.to_string()), 100);
        }
        assert!(looks.0.lock().unwrap().len() <= MAX_LOOKS);
    }
}
