//! Words to an expression.

use super::{
    Attribute, AttributeKind, ConditionError, Expression, How, MAX_COMPARISONS, MAX_DEPTH, MAX_VALUES,
    Quantifier, Test, Values,
    lex::{Token, tokens},
};
use crate::{
    Plane, RoleId,
    action::{Pattern, malformed},
};

/// Brackets inside each other, which cost stack while reading; twice what printing an expression of [`MAX_DEPTH`] needs.
const MAX_BRACKETS: usize = 4 * MAX_DEPTH;

const OPERATORS: &str =
    "an operator such as StringEquals, StringStartsWith or StringLike, with Not or IgnoreCase";

pub(super) fn parse(text: &str) -> Result<Expression, ConditionError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), brackets: 0, comparisons: 0 };
    let expression = parser.expression()?;
    if parser.peek().is_some() {
        return Err(parser.unexpected("AND, OR or the end"));
    }
    if depth(&expression) > MAX_DEPTH {
        return Err(ConditionError::TooMuch { what: "levels", limit: MAX_DEPTH });
    }
    Ok(expression)
}

/// Brackets are bounded, and runs of `!` are read without recursion, so this ends.
fn depth(expression: &Expression) -> usize {
    match expression {
        Expression::ActionMatches { .. } | Expression::Compare { .. } => 0,
        Expression::Not(inner) => 1 + depth(inner),
        Expression::And(all) | Expression::Or(all) => 1 + all.iter().map(depth).max().unwrap_or_default(),
    }
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    end: usize,
    brackets: usize,
    comparisons: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.next += usize::from(there);
        there
    }

    fn need(&mut self, token: &Token, wanted: &'static str) -> Result<(), ConditionError> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    fn unexpected(&self, wanted: &'static str) -> ConditionError {
        let found = self.peek().map_or_else(|| "the end".to_owned(), Token::shown);
        ConditionError::Unexpected { at: self.at(), found, wanted }
    }

    fn unsupported(&self, found: &str, hint: &'static str) -> ConditionError {
        ConditionError::Unsupported { at: self.at(), found: found.to_owned(), hint }
    }

    /// One or more, all joined by `AND` or all by `OR`.
    fn expression(&mut self) -> Result<Expression, ConditionError> {
        let first = self.negated()?;
        let (joint, other) = match self.peek() {
            Some(Token::And) => (Token::And, Token::Or),
            Some(Token::Or) => (Token::Or, Token::And),
            _ => return Ok(first),
        };
        let mut all = vec![first];
        while self.take(&joint) {
            all.push(self.negated()?);
        }
        if self.peek() == Some(&other) {
            return Err(ConditionError::Ambiguous { at: self.at() });
        }
        Ok(if joint == Token::And { Expression::And(all) } else { Expression::Or(all) })
    }

    fn negated(&mut self) -> Result<Expression, ConditionError> {
        let mut times = 0;
        while self.take(&Token::Not) {
            times += 1;
            if times > MAX_DEPTH {
                return Err(ConditionError::TooMuch { what: "levels", limit: MAX_DEPTH });
            }
        }
        let mut expression = self.single()?;
        for _ in 0..times {
            expression = Expression::Not(Box::new(expression));
        }
        Ok(expression)
    }

    fn single(&mut self) -> Result<Expression, ConditionError> {
        let wanted = "`(`, ActionMatches{'…'}, @Request[…] or repository like '…'";
        if self.take(&Token::Open) {
            self.brackets += 1;
            if self.brackets > MAX_BRACKETS {
                return Err(ConditionError::TooMuch {
                    what: "brackets inside each other",
                    limit: MAX_BRACKETS,
                });
            }
            let inner = self.expression()?;
            self.need(&Token::Close, "`)`")?;
            self.brackets -= 1;
            return Ok(inner);
        }
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(ConditionError::TooMuch { what: "comparisons", limit: MAX_COMPARISONS });
        }
        match self.peek() {
            Some(Token::Attribute(source, name)) => {
                let attribute = self.attribute(source, name)?;
                self.next += 1;
                self.comparison(attribute)
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("ActionMatches") => {
                self.next += 1;
                self.action_matches()
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("repository") => {
                self.next += 1;
                self.short()
            }
            Some(Token::Word(word)) => {
                Err(self.unsupported(word, "known are ActionMatches and repository like"))
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    /// `ActionMatches{'…'}`
    fn action_matches(&mut self) -> Result<Expression, ConditionError> {
        self.need(&Token::BraceOpen, "`{`")?;
        let text = self.text("an action in quotes")?;
        if let Some(problem) = malformed(&text) {
            return Err(self.unsupported(&text, problem));
        }
        self.need(&Token::BraceClose, "`}`")?;
        let pattern = Pattern(&text);
        // An old name stands for what it grants: a guard on `pull/read` must guard pulls.
        let actions =
            pattern.actions(Plane::Control).union(pattern.actions(Plane::Data)).union(pattern.legacy());
        Ok(Expression::ActionMatches { text, actions })
    }

    /// `repository like '…'`
    fn short(&mut self) -> Result<Expression, ConditionError> {
        match self.peek() {
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("like") => self.next += 1,
            _ => return Err(self.unexpected("like")),
        }
        let values = Values::One(self.text("a pattern in quotes")?);
        let attribute = Attribute { source: "Request", kind: AttributeKind::Repository };
        let test = Test { how: How::Like, negative: false, ignore_case: false };
        Ok(Expression::Compare { attribute, test, values })
    }

    fn attribute(&self, source: &str, name: &str) -> Result<Attribute, ConditionError> {
        let hint = "known are Microsoft.ContainerRegistry/registries/repositories:name and \
                    Microsoft.Authorization/roleAssignments:RoleDefinitionId of @Request and @Resource";
        let source = ["Request", "Resource"].into_iter().find(|known| known.eq_ignore_ascii_case(source));
        let kind = [AttributeKind::Repository, AttributeKind::Role]
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name));
        match (source, kind) {
            (Some(source), Some(kind)) => Ok(Attribute { source, kind }),
            _ => Err(self.unsupported(name, hint)),
        }
    }

    fn comparison(&mut self, attribute: Attribute) -> Result<Expression, ConditionError> {
        let Some(Token::Word(word)) = self.peek() else { return Err(self.unexpected(OPERATORS)) };
        let (quantifier, operator) = match word.split_once(':') {
            Some((quantifier, operator)) => {
                let known =
                    Quantifier::ALL.into_iter().find(|known| known.word().eq_ignore_ascii_case(quantifier));
                let hint =
                    "known are ForAnyOfAnyValues, ForAllOfAnyValues, ForAnyOfAllValues, ForAllOfAllValues";
                (Some(known.ok_or_else(|| self.unsupported(word, hint))?), operator)
            }
            None => (None, word.as_str()),
        };
        let test = Test::of(operator).ok_or_else(|| self.unsupported(word, OPERATORS))?;
        if (test.how == How::Guid) != (attribute.kind == AttributeKind::Role) {
            return Err(self.unsupported(word, "names are compared by String…, roles by Guid…"));
        }
        self.next += 1;
        let values = match quantifier {
            None => Values::One(self.value(test)?),
            Some(quantifier) => Values::Many { quantifier, values: self.set(test)? },
        };
        Ok(Expression::Compare { attribute, test, values })
    }

    fn set(&mut self, test: Test) -> Result<Vec<String>, ConditionError> {
        self.need(&Token::BraceOpen, "`{`")?;
        let mut values = vec![self.value(test)?];
        while self.take(&Token::Comma) {
            values.push(self.value(test)?);
            if values.len() > MAX_VALUES {
                return Err(ConditionError::TooMuch { what: "values in braces", limit: MAX_VALUES });
            }
        }
        self.need(&Token::BraceClose, "`,` or `}`")?;
        Ok(values)
    }

    /// A text in quotes; the number of a role may stand without.
    fn value(&mut self, test: Test) -> Result<String, ConditionError> {
        let written = match self.peek() {
            Some(Token::Word(word)) if test.how == How::Guid => word,
            Some(Token::Text(quoted)) => quoted,
            _ => return Err(self.unexpected("a value in quotes")),
        };
        let value = if test.how == How::Guid {
            let hint = "a role is named by its number";
            written.parse::<RoleId>().map_err(|_| self.unsupported(written, hint))?.to_string()
        } else {
            written.clone()
        };
        self.next += 1;
        Ok(value)
    }

    fn text(&mut self, wanted: &'static str) -> Result<String, ConditionError> {
        let Some(Token::Text(text)) = self.peek() else { return Err(self.unexpected(wanted)) };
        self.next += 1;
        Ok(text.clone())
    }
}
