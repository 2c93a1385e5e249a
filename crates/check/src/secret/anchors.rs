//! Where in a text which of many words stand, in one pass.
//!
//! An automaton takes a step for each byte, and each step has to wait for the one before. Four parts of a text walked side
//! by side wait together: that is nearly twice as fast, and the answer is the same, because a word that ends in a part
//! begins at most one word's length before it.

use std::ops::Range;

use aho_corasick::{
    AhoCorasick, Anchored, BuildError, MatchError, MatchKind, PatternID, StartKind,
    automaton::{Automaton as _, StateID},
    dfa::DFA,
};

/// Letters of all words up to which the fastest automaton is made; it takes up to 1 KiB for each. The built-in words and
/// gitleaks' own have about 4,000.
const MAX_TABLE: usize = 16 << 10;
/// Bytes that are walked at a time, so that memory for places does not depend on the text.
const BLOCK: usize = 64 << 10;
/// Parts of a block that are walked side by side.
const LANES: usize = 4;
/// Bytes of a block that is worth dividing.
const WORTH: usize = 1 << 10;

/// Words to look for, whatever their case.
#[derive(Debug)]
pub(super) struct Anchors(Kind);

#[derive(Debug)]
enum Kind {
    Fast {
        automaton: Box<DFA>,
        /// Bytes of the longest word that may stand before a part of a text in which it ends.
        reach: usize,
    },
    /// For words without end.
    Small(AhoCorasick),
}

impl Anchors {
    /// For `words`, which are told by their number.
    pub fn new(words: &[String]) -> Result<Self, BuildError> {
        if words.iter().map(String::len).sum::<usize>() > MAX_TABLE {
            let small = AhoCorasick::builder().ascii_case_insensitive(true).build(words)?;
            return Ok(Self(Kind::Small(small)));
        }
        let automaton = DFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .prefilter(false)
            .build(words)?;
        let reach = words.iter().map(String::len).max().unwrap_or_default().saturating_sub(1);
        Ok(Self(Kind::Fast { automaton: Box::new(automaton), reach }))
    }

    /// Tells every place of every word, in order of their ends, until `tell` says that it has heard enough.
    pub fn each(&self, text: &[u8], mut tell: impl FnMut(usize, Range<usize>) -> bool) {
        match &self.0 {
            Kind::Small(automaton) => {
                let mut all = automaton.find_overlapping_iter(text);
                let _ = all.all(|found| tell(found.pattern().as_usize(), found.range()));
            }
            Kind::Fast { automaton, reach } => {
                // It fails only for automata of another kind.
                let Ok(mut walk) = Walk::new(automaton, *reach) else { return };
                for from in (0..text.len()).step_by(BLOCK) {
                    walk.block(text, from, text.len().min(from + BLOCK));
                    for (word, end) in walk.places.iter().flatten() {
                        let start = end - automaton.pattern_len(*word);
                        if !tell(word.as_usize(), start..*end) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// A way through a text.
struct Walk<'a> {
    automaton: &'a DFA,
    reach: usize,
    start: StateID,
    /// At the end of the block before.
    state: StateID,
    /// Which words end where in the parts of a block.
    places: [Vec<(PatternID, usize)>; LANES],
}

impl<'a> Walk<'a> {
    fn new(automaton: &'a DFA, reach: usize) -> Result<Self, MatchError> {
        let start = automaton.start_state(Anchored::No)?;
        Ok(Self { automaton, reach, start, state: start, places: Default::default() })
    }

    /// Notes the words that end in `text[from..to]`.
    fn block(&mut self, text: &[u8], from: usize, to: usize) {
        self.places.iter_mut().for_each(Vec::clear);
        let length = if to - from < WORTH { 0 } else { (to - from) / LANES };
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|lane| from + lane * length);
        if length > 0 {
            let part = |at: usize| text.get(at..at + length).unwrap_or_default();
            let states =
                [self.state, self.before(text, second), self.before(text, third), self.before(text, fourth)];
            let ends = [first, second, third, fourth];
            self.state = self.lanes(ends.map(part), ends, states);
        }
        // What is left over, or all of a short one.
        let rest = fourth + length;
        let mut state = self.state;
        for (end, byte) in (rest + 1..).zip(text.get(rest..to).unwrap_or_default()) {
            state = self.automaton.next_state(Anchored::No, state, *byte);
            self.note(LANES - 1, state, end);
        }
        self.state = state;
    }

    /// The state at `at`, as far as it matters.
    fn before(&self, text: &[u8], at: usize) -> StateID {
        let before = text.get(at.saturating_sub(self.reach)..at).unwrap_or_default();
        before.iter().fold(self.start, |state, byte| self.automaton.next_state(Anchored::No, state, *byte))
    }

    /// Walks four parts of one length; the state at the end of the last one.
    fn lanes(&mut self, parts: [&[u8]; LANES], starts: [usize; LANES], states: [StateID; LANES]) -> StateID {
        let automaton = self.automaton;
        let [mut a, mut b, mut c, mut d] = states;
        let [first, second, third, fourth] = parts;
        let bytes = first.iter().zip(second).zip(third.iter().zip(fourth));
        for (at, ((one, two), (three, four))) in (1..).zip(bytes) {
            a = automaton.next_state(Anchored::No, a, *one);
            b = automaton.next_state(Anchored::No, b, *two);
            c = automaton.next_state(Anchored::No, c, *three);
            d = automaton.next_state(Anchored::No, d, *four);
            if [a, b, c, d].iter().any(|state| automaton.is_match(*state)) {
                for (lane, (state, start)) in [a, b, c, d].into_iter().zip(starts).enumerate() {
                    self.note(lane, state, start + at);
                }
            }
        }
        d
    }

    fn note(&mut self, lane: usize, state: StateID, end: usize) {
        if let Some(places) = self.places.get_mut(lane).filter(|_| self.automaton.is_match(state)) {
            let words = 0..self.automaton.match_len(state);
            places.extend(words.map(|word| (self.automaton.match_pattern(state, word), end)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the library finds them one after the other, wherever parts and blocks meet.
    #[test]
    fn every_place_in_order() {
        let words = ["key", "keys", "ey", "secret_key", "://", "identified by", "y"].map(str::to_owned);
        let known = AhoCorasick::builder().ascii_case_insensitive(true).build(&words).unwrap();
        let anchors = Anchors::new(&words).unwrap();
        for length in [0, 1, 10, WORTH - 1, WORTH, WORTH + 3, 5000, BLOCK, BLOCK + 2, 3 * BLOCK + 77] {
            for shift in 0..13 {
                let text: Vec<u8> = b"Secret_KEYS://x identified by "
                    .iter()
                    .copied()
                    .cycle()
                    .skip(shift)
                    .take(length)
                    .collect();
                let mut found = Vec::new();
                anchors.each(&text, |word, place| {
                    found.push((word, place));
                    true
                });
                let expected: Vec<_> = known
                    .find_overlapping_iter(&text)
                    .map(|found| (found.pattern().as_usize(), found.range()))
                    .collect();
                assert!(found == expected, "{length} bytes from {shift}");
            }
        }
    }

    #[test]
    fn it_ends_when_nobody_listens() {
        let few = Anchors::new(&["a".to_owned()]).unwrap();
        let many: Vec<String> =
            (0..5000).map(|number| format!("word{number}")).chain(["a".to_owned()]).collect();
        let many = Anchors::new(&many).unwrap();
        assert!(matches!((&few.0, &many.0), (Kind::Fast { .. }, Kind::Small(_))));
        for anchors in [few, many] {
            let mut heard = 0;
            anchors.each(&b"a".repeat(5000), |_, _| {
                heard += 1;
                heard < 7
            });
            assert_eq!(heard, 7);
        }
    }
}
