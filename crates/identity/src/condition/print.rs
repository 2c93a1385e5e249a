//! The words of the language, and an expression in them.

use std::fmt::Write as _;

use super::{AttributeKind, Expression, How, Quantifier, Test, Values};

impl AttributeKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Repository => "Microsoft.ContainerRegistry/registries/repositories:name",
            Self::Role => "Microsoft.Authorization/roleAssignments:RoleDefinitionId",
        }
    }
}

impl Quantifier {
    pub(super) const ALL: [Self; 4] = [Self::AnyOfAny, Self::AllOfAny, Self::AnyOfAll, Self::AllOfAll];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::AnyOfAny => "ForAnyOfAnyValues",
            Self::AllOfAny => "ForAllOfAnyValues",
            Self::AnyOfAll => "ForAnyOfAllValues",
            Self::AllOfAll => "ForAllOfAllValues",
        }
    }
}

impl Test {
    /// `String[Not](Equals|StartsWith|Like)[IgnoreCase]` or `Guid[Not]Equals`; case does not matter.
    pub(super) fn of(word: &str) -> Option<Self> {
        let hows = [How::Equals, How::StartsWith, How::Like, How::Guid];
        let tests = hows.into_iter().flat_map(|how| {
            [(false, false), (false, true), (true, false), (true, true)]
                .into_iter()
                .map(move |(negative, ignore_case)| Self { how, negative, ignore_case })
        });
        tests
            .filter(|test| test.how != How::Guid || !test.ignore_case)
            .find(|test| test.word().eq_ignore_ascii_case(word))
    }

    fn word(self) -> String {
        let family = if self.how == How::Guid { "Guid" } else { "String" };
        let not = if self.negative { "Not" } else { "" };
        let how = match self.how {
            How::Equals | How::Guid => "Equals",
            How::StartsWith => "StartsWith",
            How::Like => "Like",
        };
        let case = if self.ignore_case { "IgnoreCase" } else { "" };
        format!("{family}{not}{how}{case}")
    }
}

pub(super) fn print(expression: &Expression) -> String {
    let mut out = String::new();
    whole(expression, &mut out);
    out
}

fn whole(expression: &Expression, out: &mut String) {
    match expression {
        Expression::ActionMatches { text, .. } => {
            out.push_str("ActionMatches{'");
            out.push_str(text);
            out.push_str("'}");
        }
        Expression::Not(inner) => {
            out.push_str("!(");
            whole(inner, out);
            out.push(')');
        }
        Expression::And(all) => joined(all, " AND ", out),
        Expression::Or(all) => joined(all, " OR ", out),
        Expression::Compare { attribute, test, values } => {
            // Writing to a text cannot fail.
            let _ = write!(out, "@{}[{}] ", attribute.source, attribute.kind.name());
            match values {
                Values::One(value) => {
                    let _ = write!(out, "{} '{value}'", test.word());
                }
                Values::Many { quantifier, values } => {
                    let values: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
                    let _ = write!(out, "{}:{} {{{}}}", quantifier.word(), test.word(), values.join(", "));
                }
            }
        }
    }
}

fn joined(all: &[Expression], joint: &str, out: &mut String) {
    for (number, inner) in all.iter().enumerate() {
        if number > 0 {
            out.push_str(joint);
        }
        out.push('(');
        whole(inner, out);
        out.push(')');
    }
}
