//! Second factors between being shown and being confirmed. In memory: whoever is cut off begins again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use boltseal_identity::{PrincipalId, totp::Totp};
use boltseal_model::Timestamp;

/// Seconds to scan the code and type one.
pub(crate) const LIFE: i64 = 600;
/// Seeds waiting at once; beyond it the oldest has to begin again.
const MAX_WAITING: usize = 1_000;

/// Seeds that were shown, and until when they wait.
#[derive(Default)]
pub(crate) struct Enrolling(Mutex<HashMap<PrincipalId, (Totp, i64)>>);

impl Enrolling {
    /// Remembers a seed, instead of an earlier one.
    pub(crate) fn begin(&self, principal: PrincipalId, totp: Totp, now: Timestamp) {
        let now = now.as_second();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (_, end)| *end > now);
        if waiting.len() >= MAX_WAITING && !waiting.contains_key(&principal) {
            let oldest = waiting.iter().min_by_key(|(_, (_, end))| *end).map(|(id, _)| *id);
            oldest.map(|oldest| waiting.remove(&oldest));
        }
        waiting.insert(principal, (totp, now.saturating_add(LIFE)));
    }

    /// The seed that was shown to `principal`, if it still waits.
    pub(crate) fn seed(&self, principal: PrincipalId, now: Timestamp) -> Option<Totp> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&principal).filter(|(_, end)| *end > now.as_second()).map(|(totp, _)| totp.clone())
    }

    /// It is confirmed.
    pub(crate) fn done(&self, principal: PrincipalId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&principal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_wait_for_a_while_and_are_bounded() {
        let (enrolling, at) = (Enrolling::default(), |second| Timestamp::from_second(second).unwrap());
        let id = |n: u128| PrincipalId(uuid::Uuid::from_u128(n));
        for n in 0..=u128::try_from(MAX_WAITING).unwrap() {
            let late = i64::try_from(n).unwrap() / 100;
            enrolling.begin(id(n), Totp::new([1; 20]), at(late));
        }
        assert_eq!(enrolling.0.lock().unwrap().len(), MAX_WAITING);
        let last = id(u128::try_from(MAX_WAITING).unwrap());
        assert!(enrolling.seed(last, at(11)).is_some());
        assert!(enrolling.seed(last, at(10 + LIFE)).is_none());
        enrolling.done(last);
        assert!(enrolling.seed(last, at(11)).is_none());
    }
}
