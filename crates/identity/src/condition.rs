//! Conditions of assignments, in the language of Azure's attribute-based access control.
//!
//! The usual one says "of these actions, only on these repositories":
//!
//! ```text
//! ((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'})) OR
//!  (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringStartsWith 'team/'))
//! ```
//!
//! An attribute that a request does not have makes every comparison with it false, also a negative one. Two things are
//! ours: `repository like "team/*"`, short for the comparison with `StringLike`, and that `AND` and `OR` next to each
//! other need brackets, because readers disagree about which binds tighter.

mod evaluate;
mod lex;
mod parse;
mod print;

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Actions;

pub(crate) use evaluate::Asked;

/// Bytes of a condition, as in Azure.
pub const MAX_CONDITION: usize = 8192;
/// Levels of `NOT`, `AND` and `OR` inside each other.
pub const MAX_DEPTH: usize = 16;
/// Comparisons in a condition: a decision may evaluate all of them.
pub const MAX_COMPARISONS: usize = 64;
/// Values in one set of braces.
pub const MAX_VALUES: usize = 64;
/// Bytes of a value: a repository's name has at most 255.
pub const MAX_VALUE: usize = 256;

/// Something that must hold for an assignment to grant.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    means: Arc<Expression>,
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// More of something than a condition needs.
    #[error("a condition has at most {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Something else stands there than could.
    #[error("condition, character {at}: found {found}, wanted {wanted}")]
    Unexpected {
        /// Characters before it.
        at: usize,
        /// What stands there.
        found: String,
        /// What could stand there.
        wanted: &'static str,
    },
    /// `AND` and `OR` next to each other.
    #[error(
        "condition, character {at}: AND and OR stand next to each other: put brackets around one of them"
    )]
    Ambiguous {
        /// Characters before it.
        at: usize,
    },
    /// Part of Azure's language that means nothing here.
    #[error("condition, character {at}: `{found}` is not known here: {hint}")]
    Unsupported {
        /// Characters before it.
        at: usize,
        /// What stands there, shortened.
        found: String,
        /// What is known.
        hint: &'static str,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// `ActionMatches{'…'}`; which known actions the text stands for is worked out once.
    ActionMatches {
        text: String,
        actions: Actions,
    },
    /// `attribute Operator 'value'`, or a set of values.
    Compare {
        attribute: Attribute,
        test: Test,
        values: Values,
    },
    Not(Box<Self>),
    /// At least two.
    And(Vec<Self>),
    /// At least two.
    Or(Vec<Self>),
}

/// What can be compared. `@Request` and `@Resource` mean the same here: what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub source: &'static str,
    pub kind: AttributeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttributeKind {
    /// `Microsoft.ContainerRegistry/registries/repositories:name`
    Repository,
    /// `Microsoft.Authorization/roleAssignments:RoleDefinitionId`: the role that is given or taken.
    Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub how: How,
    pub negative: bool,
    pub ignore_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Equals,
    StartsWith,
    Like,
    Guid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    One(String),
    Many { quantifier: Quantifier, values: Vec<String> },
}

/// A request has one repository, so the first half of the word changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    AnyOfAny,
    AllOfAny,
    AnyOfAll,
    AllOfAll,
}

impl Condition {
    /// The condition in Azure's own words, whatever it was written in, with every bracket that could matter.
    pub fn azure(&self) -> String {
        print::print(&self.means)
    }

    /// The condition as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it holds. What a request does not have is unknown, and no comparison with it holds.
    pub(crate) fn holds(&self, asked: &Asked<'_>) -> bool {
        evaluate::holds(&self.means, asked)
    }

    /// The condition that never holds.
    pub(crate) fn never() -> Self {
        let text = "ActionMatches{'None/none'}";
        let means = Expression::ActionMatches { text: "None/none".to_owned(), actions: Actions::NONE };
        Self { text: text.into(), means: Arc::new(means) }
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let text = text.trim();
        Ok(Self { text: text.into(), means: Arc::new(parse::parse(text)?) })
    }
}

impl PartialEq for Condition {
    /// Two conditions are the same if they mean the same, however they are written.
    fn eq(&self, other: &Self) -> bool {
        self.means == other.means
    }
}

impl Eq for Condition {}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
