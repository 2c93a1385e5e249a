//! Tokens to a tree, with names resolved: precedence climbing over the grammar of the CEL specification.

use crate::{
    environment::Environment,
    error::Error,
    functions::{self, Style},
    macros,
    token::{Token, tokens},
    tree::{Kind, MAX_DEPTH, Node, Operator},
};

/// Brackets within brackets: reading goes down as far, over a dozen functions each.
const MAX_NESTED: usize = 40;

/// Where reading stands.
pub(crate) struct Reader<'e> {
    pub(crate) environment: &'e Environment,
    source: &'e str,
    tokens: Vec<(usize, Token)>,
    pub(crate) next: usize,
    nested: usize,
    /// Names that comprehensions and `cel.bind` have in force.
    pub(crate) locals: Vec<String>,
    /// Comprehensions within each other.
    pub(crate) folds: usize,
    /// Globals that were named so far.
    pub(crate) used: Vec<usize>,
}

pub(crate) type Read<T> = Result<T, Error>;

/// Reads a whole expression; with the globals that it looks at.
pub(crate) fn read(environment: &Environment, source: &str) -> Read<(Node, Vec<usize>)> {
    let tokens = tokens(source)?;
    let mut reader = Reader {
        environment,
        source,
        tokens,
        next: 0,
        nested: 0,
        locals: Vec::new(),
        folds: 0,
        used: Vec::new(),
    };
    let root = reader.expression()?;
    match reader.peek() {
        Token::End => Ok((root, reader.used)),
        other => {
            let problem = format!("{} is not expected here", shown(other));
            Err(reader.wrong(reader.at(), problem))
        }
    }
}

/// A token in words.
pub(crate) fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) | Token::Field(name) => format!("`{name}`"),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "the end".to_owned(),
        Token::Text(_) | Token::Bytes(_) => "a text".to_owned(),
        Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".to_owned(),
    }
}

impl Reader<'_> {
    pub(crate) fn peek(&self) -> &Token {
        self.ahead(0)
    }

    pub(crate) fn ahead(&self, by: usize) -> &Token {
        self.tokens.get(self.next + by).map_or(&Token::End, |(_, token)| token)
    }

    /// Byte of the next token.
    pub(crate) fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.source.len(), |(at, _)| *at)
    }

    pub(crate) fn wrong(&self, at: usize, problem: impl Into<String>) -> Error {
        Error::new(self.source, at, problem)
    }

    /// Takes a sign if it is next.
    pub(crate) fn takes(&mut self, sign: &str) -> bool {
        let takes = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.next += usize::from(takes);
        takes
    }

    pub(crate) fn expect(&mut self, sign: &str) -> Read<()> {
        if self.takes(sign) {
            return Ok(());
        }
        let problem = format!("`{sign}` is expected here, not {}", shown(self.peek()));
        Err(self.wrong(self.at(), problem))
    }

    pub(crate) fn name(&mut self) -> Read<String> {
        match self.peek() {
            Token::Name(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            other => {
                let problem = format!("a name is expected here, not {}", shown(other));
                Err(self.wrong(self.at(), problem))
            }
        }
    }

    /// A node, unless the tree gets too deep.
    pub(crate) fn node(&self, at: usize, kind: Kind) -> Read<Node> {
        let depth = kind.depth() + 1;
        if depth > MAX_DEPTH {
            return Err(self.wrong(at, format!("more than {MAX_DEPTH} levels")));
        }
        Ok(Node { at: u32::try_from(at).unwrap_or(u32::MAX), depth, kind })
    }

    /// `condition ? then : else`, or what binds tighter.
    pub(crate) fn expression(&mut self) -> Read<Node> {
        let at = self.at();
        self.nested += 1;
        if self.nested > MAX_NESTED {
            return Err(self.wrong(at, format!("more than {MAX_NESTED} brackets within each other")));
        }
        let condition = self.either()?;
        let whole = if self.takes("?") {
            let then = self.either()?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            self.node(at, Kind::Choose(Box::new([condition, then, otherwise])))?
        } else {
            condition
        };
        self.nested -= 1;
        Ok(whole)
    }

    fn either(&mut self) -> Read<Node> {
        let at = self.at();
        let mut nodes = vec![self.both()?];
        while self.takes("||") {
            nodes.push(self.both()?);
        }
        self.one_or(at, nodes, Kind::Or)
    }

    fn both(&mut self) -> Read<Node> {
        let at = self.at();
        let mut nodes = vec![self.binary(1)?];
        while self.takes("&&") {
            nodes.push(self.binary(1)?);
        }
        self.one_or(at, nodes, Kind::And)
    }

    fn one_or(&self, at: usize, mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Kind) -> Read<Node> {
        match nodes.pop() {
            Some(only) if nodes.is_empty() => Ok(only),
            Some(last) => {
                nodes.push(last);
                self.node(at, many(nodes))
            }
            None => Err(self.wrong(at, "nothing stands here")),
        }
    }

    /// Comparisons (1), sums (2) or products (3); each binds to the left.
    fn binary(&mut self, tightness: u8) -> Read<Node> {
        let mut left = if tightness == 3 { self.unary()? } else { self.binary(tightness + 1)? };
        loop {
            let next = match self.peek() {
                Token::Sign(sign) => *sign,
                Token::Name(name) if name == "in" => "in",
                _ => return Ok(left),
            };
            let fits = |one: &&Operator| one.sign() == next && one.tightness() == tightness;
            let Some(operator) = Operator::ALL.iter().find(fits) else { return Ok(left) };
            let at = self.at();
            self.next += 1;
            let right = if tightness == 3 { self.unary()? } else { self.binary(tightness + 1)? };
            left = self.node(at, Kind::Binary(*operator, Box::new([left, right])))?;
        }
    }

    fn unary(&mut self) -> Read<Node> {
        let at = self.at();
        for (sign, double) in [("!", false), ("-", true)] {
            if !self.takes(sign) {
                continue;
            }
            let mut odd = true;
            while self.takes(sign) {
                odd = !odd;
            }
            // The least number has no positive one.
            if let (true, true, Token::Int(number)) = (double, odd, self.peek())
                && *number == i64::MIN.unsigned_abs()
            {
                self.next += 1;
                return self.node(at, Kind::Int(i64::MIN));
            }
            let inside = self.member()?;
            return match (double, odd) {
                (_, false) => Ok(inside),
                (true, true) => self.node(at, Kind::Minus(Box::new(inside))),
                (false, true) => self.node(at, Kind::Not(Box::new(inside))),
            };
        }
        self.member()
    }

    fn member(&mut self) -> Read<Node> {
        let mut of = self.primary()?;
        loop {
            let at = self.at();
            if self.takes("[") {
                let optional = self.takes("?");
                let index = self.expression()?;
                self.expect("]")?;
                of = self.node(at, Kind::Index { of: Box::new(of), index: Box::new(index), optional })?;
            } else if self.takes(".") {
                let optional = self.takes("?");
                let at = self.at();
                if let Token::Field(field) = self.peek() {
                    let field = field.clone();
                    self.next += 1;
                    of = self.select(at, of, field, optional)?;
                    continue;
                }
                let name = self.name()?;
                of = if !optional && matches!(self.peek(), Token::Sign("(")) {
                    self.call(at, Some(of), &name)?
                } else {
                    self.select(at, of, name, optional)?
                };
            } else {
                return Ok(of);
            }
        }
    }

    fn select(&self, at: usize, of: Node, field: String, optional: bool) -> Read<Node> {
        self.node(at, Kind::Select { of: Box::new(of), field: field.into(), optional })
    }

    fn primary(&mut self) -> Read<Node> {
        let at = self.at();
        let token = self.peek().clone();
        let kind = match token {
            Token::Name(name) => return self.named(at, &name),
            Token::Sign("(") => {
                self.next += 1;
                let inside = self.expression()?;
                self.expect(")")?;
                return Ok(inside);
            }
            Token::Sign("[") => {
                self.next += 1;
                return self.list(at);
            }
            Token::Sign("{") => {
                self.next += 1;
                return self.map(at);
            }
            Token::Sign(".") => {
                self.next += 1;
                let name = self.name()?;
                return self.named_after(at, &name);
            }
            Token::Int(number) => match i64::try_from(number) {
                Ok(number) => Kind::Int(number),
                Err(_) => return Err(self.wrong(at, "a number that is too large")),
            },
            Token::Uint(number) => Kind::Uint(number),
            Token::Double(number) => Kind::Double(number),
            Token::Text(text) => Kind::Text(text.into()),
            Token::Bytes(bytes) => Kind::Bytes(bytes.into()),
            other => return Err(self.wrong(at, format!("{} is not expected here", shown(&other)))),
        };
        self.next += 1;
        self.node(at, kind)
    }

    fn named(&mut self, at: usize, name: &str) -> Read<Node> {
        self.next += 1;
        self.named_after(at, name)
    }

    fn list(&mut self, at: usize) -> Read<Node> {
        let mut items = Vec::new();
        while !self.takes("]") {
            let optional = self.takes("?");
            items.push((optional, self.expression()?));
            if !self.takes(",") {
                self.expect("]")?;
                break;
            }
        }
        self.node(at, Kind::List(items))
    }

    fn map(&mut self, at: usize) -> Read<Node> {
        let mut entries = Vec::new();
        while !self.takes("}") {
            let optional = self.takes("?");
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((optional, key, self.expression()?));
            if !self.takes(",") {
                self.expect("}")?;
                break;
            }
        }
        self.node(at, Kind::Map(entries))
    }

    /// A call of `name`, whose opening bracket is next.
    pub(crate) fn call(&mut self, at: usize, of: Option<Node>, name: &str) -> Read<Node> {
        self.expect("(")?;
        let of = match macros::read(self, at, of, name)? {
            macros::Expanded::Done(node) => return Ok(node),
            macros::Expanded::No(of) => of,
        };
        let style = if of.is_some() { Style::Member } else { Style::Global };
        // Before the arguments are read: they may be meant for a macro that is not there.
        functions::known(name, style).map_err(|problem| self.wrong(at, problem))?;
        let mut arguments: Vec<Node> = of.into_iter().collect();
        while !self.takes(")") {
            arguments.push(self.expression()?);
            if !self.takes(",") {
                self.expect(")")?;
                break;
            }
        }
        let kind = functions::call(name, style, arguments).map_err(|problem| self.wrong(at, problem))?;
        self.node(at, kind)
    }
}
