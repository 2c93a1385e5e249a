//! What looks like a call and is none: its arguments name something, or are evaluated more than once or never.

use crate::{
    error::Error,
    parse::{Reader, shown},
    token::{Token, is_reserved},
    tree::{Fold, Folding, Kind, Node},
};

/// Comprehensions within each other: the budget is what holds, this says it before anything runs.
const MAX_FOLDS: usize = 4;

/// What became of a call.
pub(crate) enum Expanded {
    /// It was a macro, read to its closing bracket.
    Done(Node),
    /// It is none; here is the receiver.
    No(Option<Node>),
}

/// Reads the call if it is a macro; its opening bracket was read.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    at: usize,
    of: Option<Node>,
    name: &str,
) -> Result<Expanded, Error> {
    let done = |node| Ok(Expanded::Done(node));
    match (of, name) {
        (None, "has") => done(has(reader, at)?),
        (None, "cel.bind") => done(bind(reader, at)?),
        (Some(of), "optMap" | "optFlatMap") => {
            let (names, mark) = named(reader, false)?;
            debug_assert_eq!(names, 1);
            let body = Box::new(reader.expression()?);
            reader.locals.truncate(mark);
            reader.expect(")")?;
            let flat = name == "optFlatMap";
            done(reader.node(at, Kind::Optional { of: Box::new(of), body, flat })?)
        }
        (Some(over), _) => match folding(name) {
            Some(what) => done(fold(reader, at, over, name, what)?),
            None => Ok(Expanded::No(Some(over))),
        },
        (None, _) => Ok(Expanded::No(None)),
    }
}

fn folding(name: &str) -> Option<Folding> {
    Some(match name {
        "all" => Folding::All,
        "exists" => Folding::Exists,
        "exists_one" | "existsOne" => Folding::ExistsOne,
        "filter" => Folding::Filter,
        "map" | "transformList" => Folding::List,
        "transformMap" => Folding::Map,
        _ => return None,
    })
}

/// `has(a.b)`
fn has(reader: &mut Reader<'_>, at: usize) -> Result<Node, Error> {
    let inside = reader.expression()?;
    reader.expect(")")?;
    match inside.kind {
        Kind::Select { of, field, optional: false } => reader.node(at, Kind::Has { of, field }),
        // A variable that is defined is there.
        Kind::Variable(_) => reader.node(at, Kind::Bool(true)),
        _ => Err(reader.wrong(at, "`has` asks for a field, such as `has(object.spec)`")),
    }
}

/// `cel.bind(name, value, body)`
fn bind(reader: &mut Reader<'_>, at: usize) -> Result<Node, Error> {
    let name = local(reader)?;
    reader.expect(",")?;
    let value = reader.expression()?;
    reader.expect(",")?;
    reader.locals.push(name);
    let body = reader.expression()?;
    reader.locals.pop();
    reader.expect(")")?;
    reader.node(at, Kind::Bind(Box::new([value, body])))
}

/// A name that may be given.
fn local(reader: &mut Reader<'_>) -> Result<String, Error> {
    let at = reader.at();
    let name = reader.name()?;
    if is_reserved(&name) || matches!(name.as_str(), "true" | "false" | "null" | "variables") {
        return Err(reader.wrong(at, format!("`{name}` cannot be given to something else")));
    }
    Ok(name)
}

/// One or two names and the comma behind them; where the names before these end.
fn named(reader: &mut Reader<'_>, two: bool) -> Result<(usize, usize), Error> {
    let mark = reader.locals.len();
    let first = local(reader)?;
    reader.expect(",")?;
    let second = if two {
        let second = local(reader)?;
        reader.expect(",")?;
        Some(second)
    } else {
        None
    };
    reader.locals.push(first);
    reader.locals.extend(second);
    Ok((reader.locals.len() - mark, mark))
}

fn fold(reader: &mut Reader<'_>, at: usize, over: Node, name: &str, what: Folding) -> Result<Node, Error> {
    reader.folds += 1;
    if reader.folds > MAX_FOLDS {
        return Err(reader.wrong(at, format!("more than {MAX_FOLDS} comprehensions within each other")));
    }
    let names = (reader.ahead(0), reader.ahead(1), reader.ahead(2), reader.ahead(3));
    let second = matches!(names, (Token::Name(_), Token::Sign(","), Token::Name(_), Token::Sign(",")));
    let two = match name {
        "all" | "exists" | "existsOne" | "exists_one" => second,
        "transformList" | "transformMap" => true,
        _ => false,
    };
    let (_, mark) = named(reader, two)?;
    let first = reader.expression()?;
    let then = if reader.takes(",") { Some(reader.expression()?) } else { None };
    reader.locals.truncate(mark);
    if !reader.takes(")") {
        let problem = format!("`{name}` ends here, not with {}", shown(reader.peek()));
        return Err(reader.wrong(reader.at(), problem));
    }
    let makes = matches!(what, Folding::List | Folding::Map);
    let (test, make) = match (then, makes) {
        (None, true) => (None, Some(first)),
        (Some(then), true) => (Some(first), Some(then)),
        (None, false) => (Some(first), None),
        (Some(_), false) => return Err(reader.wrong(at, format!("too many arguments for `{name}`"))),
    };
    reader.folds -= 1;
    reader.node(at, Kind::Fold(Box::new(Fold { over, two, what, test, make })))
}
