//! What a name means: a local, a global, a variable, a type, a name space of functions; or nothing.

use crate::{
    functions::{self, Style},
    parse::{Read, Reader},
    token::{self, Token},
    tree::{Kind, Node},
};

/// Names of types.
const TYPES: [&str; 10] =
    ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];

impl Reader<'_> {
    /// A name that was just read: a call, a word of the language, a variable, a name space.
    pub(crate) fn named_after(&mut self, at: usize, name: &str) -> Read<Node> {
        if matches!(self.peek(), Token::Sign("(")) {
            return self.call(at, None, name);
        }
        match name {
            "true" => return self.node(at, Kind::Bool(true)),
            "false" => return self.node(at, Kind::Bool(false)),
            "null" => return self.node(at, Kind::Null),
            _ => {}
        }
        if let Some(slot) = self.locals.iter().rposition(|local| local == name) {
            return self.node(at, Kind::Local(slot));
        }
        if let Some(index) = self.environment.globals.iter().position(|global| global == name) {
            self.use_all(&[index]);
            return self.node(at, Kind::Global(index));
        }
        if name == "variables" && matches!(self.peek(), Token::Sign(".")) {
            return self.variable();
        }
        if let (Token::Sign("."), Token::Name(member), Token::Sign("(")) =
            (self.peek(), self.ahead(1), self.ahead(2))
        {
            let whole = format!("{name}.{member}");
            if whole == "cel.bind" || functions::find(&whole, Style::Global).is_some() {
                self.next += 2;
                return self.call(at, None, &whole);
            }
        }
        if let Some(kind) = TYPES.into_iter().find(|kind| *kind == name) {
            return self.node(at, Kind::Type(kind));
        }
        Err(self.wrong(at, self.unknown(name)))
    }

    /// Why a name means nothing.
    fn unknown(&self, name: &str) -> String {
        if token::is_reserved(name) {
            return format!("`{name}` is a word of the language");
        }
        if name == "authorizer" {
            return "`authorizer` asks the cluster who may do what: that cannot be told here".to_owned();
        }
        let mut known = self.environment.globals.clone();
        if !self.environment.variables.is_empty() {
            known.push("variables".to_owned());
        }
        known.extend(self.locals.iter().cloned());
        format!("there is no `{name}` here; there is {}", known.join(", "))
    }

    /// `variables.NAME`, of which the first word was read.
    fn variable(&mut self) -> Read<Node> {
        self.expect(".")?;
        let optional = self.takes("?");
        let at = self.at();
        let name = self.name()?;
        let found = self.environment.variables.iter().position(|(own, _)| *own == name);
        let Some(index) = found.filter(|_| !optional) else {
            let names: Vec<&str> = self.environment.variables.iter().map(|(own, _)| own.as_str()).collect();
            let problem = format!("there is no variable `{name}` before this; there is {}", names.join(", "));
            return Err(self.wrong(at, problem));
        };
        if let Some((_, program)) = self.environment.variables.get(index) {
            self.use_all(&program.used);
        }
        self.node(at, Kind::Variable(index))
    }

    fn use_all(&mut self, globals: &[usize]) {
        for index in globals {
            if !self.used.contains(index) {
                self.used.push(*index);
            }
        }
    }
}
