//! What a check says about one place.

use crate::{
    document::Item,
    leaf::{Leaf, Place},
};

/// A place where a definition is not as it should be, or where nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where.
    pub place: Place,
    /// What stands there, in a sentence without a full stop.
    pub found: String,
    /// Whether it is certain; where it is not, something could not be told from the file.
    pub sure: bool,
}

/// What a check found so far.
#[derive(Debug, Default)]
pub struct Hits(Vec<Hit>);

impl Hits {
    /// All of them.
    pub fn all(self) -> Vec<Hit> {
        self.0
    }

    /// Something is wrong at `place`.
    pub fn say(&mut self, place: &Place, found: impl Into<String>) {
        self.0.push(Hit { place: place.clone(), found: found.into(), sure: true });
    }

    /// Nobody can tell what stands at `place`.
    pub fn doubt(&mut self, place: &Place, found: impl Into<String>) {
        self.0.push(Hit { place: place.clone(), found: found.into(), sure: false });
    }

    /// Something is wrong if `leaf` has a value for which `bad` has words.
    pub fn forbid<T>(&mut self, leaf: &Leaf<T>, who: &str, bad: impl Fn(&T) -> Option<String>) {
        match leaf {
            Leaf::Set(value, place) => {
                if let Some(found) = bad(value) {
                    self.say(place, format!("{who} {found}"));
                }
            }
            Leaf::Unknown(why, place) => self.doubt(place, format!("{who}: {}: {why}", last(&place.path))),
            Leaf::Unset(_) => {}
        }
    }

    /// The same for every text of a list.
    pub fn forbid_each(
        &mut self,
        list: &Leaf<Vec<Item>>,
        who: &str,
        bad: impl Fn(&String) -> Option<String>,
    ) {
        match list {
            Leaf::Set(items, _) => items.iter().for_each(|item| self.forbid(&item.value, who, &bad)),
            Leaf::Unknown(why, place) => self.doubt(place, format!("{who}: {}: {why}", last(&place.path))),
            Leaf::Unset(_) => {}
        }
    }
}

/// The last key of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
