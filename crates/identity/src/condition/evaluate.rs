//! Whether a condition holds.

use crate::{Action, RoleId, glob};

use super::{AttributeKind, Expression, How, Quantifier, Test, Values};

/// What is known about what is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub action: Action,
    /// The repository that is asked for, if it is one.
    pub repository: Option<&'a str>,
    /// The role that is being given or taken, if that is what is asked for.
    pub role: Option<RoleId>,
}

/// As deep as the parser lets an expression be.
pub(super) fn holds(expression: &Expression, asked: &Asked<'_>) -> bool {
    match expression {
        Expression::ActionMatches { actions, .. } => actions.contains(asked.action),
        Expression::Not(inner) => !holds(inner, asked),
        Expression::And(all) => all.iter().all(|inner| holds(inner, asked)),
        Expression::Or(any) => any.iter().any(|inner| holds(inner, asked)),
        Expression::Compare { attribute, test, values } => match attribute.kind {
            AttributeKind::Repository => {
                asked.repository.is_some_and(|name| compare(values, |value| text_fits(*test, name, value)))
            }
            AttributeKind::Role => {
                asked.role.is_some_and(|role| compare(values, |value| role_fits(*test, role, value)))
            }
        },
    }
}

fn compare(values: &Values, fits: impl Fn(&str) -> bool) -> bool {
    match values {
        Values::One(value) => fits(value),
        Values::Many { quantifier: Quantifier::AnyOfAny | Quantifier::AllOfAny, values } => {
            values.iter().any(|value| fits(value))
        }
        Values::Many { quantifier: Quantifier::AnyOfAll | Quantifier::AllOfAll, values } => {
            values.iter().all(|value| fits(value))
        }
    }
}

fn text_fits(test: Test, name: &str, value: &str) -> bool {
    let same = |a: &str, b: &str| if test.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b };
    let fits = match test.how {
        How::Equals | How::Guid => same(name, value),
        How::StartsWith => name.get(..value.len()).is_some_and(|start| same(start, value)),
        How::Like => glob::fits_like(value, name, test.ignore_case),
    };
    fits != test.negative
}

fn role_fits(test: Test, role: RoleId, value: &str) -> bool {
    // The parser lets nothing but numbers of roles through.
    let fits = value.parse::<RoleId>().is_ok_and(|wanted| wanted == role);
    fits != test.negative
}
