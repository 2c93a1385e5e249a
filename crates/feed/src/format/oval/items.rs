//! The tests, objects and states of an OVAL file.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::{Error, limits};
use crate::{rpm, xml::Element};

/// What the reader asks the document for.
pub(super) fn wanted() -> [&'static str; 6] {
    ["timestamp", "definition", "rpminfo_test", "rpminfo_object", "rpminfo_state", "rpmverifyfile_test"]
}

/// Everything that criteria refer to, by the hash of its id.
#[derive(Default)]
pub(super) struct Items {
    tests: HashMap<u64, (u64, u64)>,
    objects: HashMap<u64, Box<str>>,
    states: HashMap<u64, State>,
}

struct State {
    operation: Operation,
    evr: Box<str>,
    architecture: Box<str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Below,
    UpTo,
    Above,
    Other,
}

/// A test with what it refers to.
pub(super) struct Item<'i> {
    pub name: &'i str,
    pub bound: Bound<'i>,
    /// `aarch64|x86_64`, or empty.
    pub architecture: &'i str,
}

/// Which versions a test means.
pub(super) enum Bound<'i> {
    Before(&'i str),
    UpTo(&'i str),
    From(&'i str),
    Any,
}

/// The key of an id.
pub(super) fn key(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Items {
    /// Takes one in. `file` is named where there are too many.
    pub(super) fn add(&mut self, element: &Element, file: &str) -> Result<(), Error> {
        let id = key(element.attribute("id"));
        let reference =
            |child: &str, name: &str| element.child(child).map_or("", |e| e.attribute(name)).to_owned();
        match element.name.as_str() {
            "rpminfo_test" => {
                let (object, state) = (reference("object", "object_ref"), reference("state", "state_ref"));
                self.tests.insert(id, (key(&object), key(&state)));
            }
            "rpminfo_object" => {
                self.objects.insert(id, element.text_of("name").into());
            }
            "rpminfo_state" => {
                self.states.insert(id, state(element));
            }
            _ => {}
        }
        let most = self.tests.len().max(self.objects.len()).max(self.states.len());
        if most > limits::MAX_OVAL_ITEMS {
            return Err(Error::limit(
                file,
                "the number of tests, objects or states",
                limits::MAX_OVAL_ITEMS as u64,
            ));
        }
        Ok(())
    }

    /// The test with the key `test`, if all that it refers to is there. A test without a state means every version.
    pub(super) fn get(&self, test: u64) -> Option<Item<'_>> {
        let (object, state) = self.tests.get(&test)?;
        let name = self.objects.get(object).filter(|name| !name.is_empty())?;
        let state = self.states.get(state);
        let bound = match state {
            Some(State { operation: Operation::Below, evr, .. }) => Bound::Before(evr),
            Some(State { operation: Operation::UpTo, evr, .. }) => Bound::UpTo(evr),
            Some(State { operation: Operation::Above, evr, .. }) => Bound::From(evr),
            _ => Bound::Any,
        };
        Some(Item { name, bound, architecture: state.map_or("", |state| &state.architecture) })
    }
}

fn state(element: &Element) -> State {
    let evr = element.child("evr");
    let operation = match evr.map_or("", |evr| evr.attribute("operation")) {
        // The numbers are those of a library; some files of SUSE were written with them.
        "less than" | "6" => Operation::Below,
        "less than or equal" => Operation::UpTo,
        "greater than" | "greater than or equal" | "5" => Operation::Above,
        _ => Operation::Other,
    };
    State {
        operation,
        evr: evr.map(|evr| rpm::plain_evr(&evr.text)).unwrap_or_default().into(),
        architecture: element.text_of("arch").into(),
    }
}
