//! An expression as a tree in which names are resolved and functions are known.

use regex::Regex;

use crate::functions::Function;

/// Levels of a tree: evaluation goes down as far, and a thread has some megabytes of stack.
pub(crate) const MAX_DEPTH: u16 = 200;

#[derive(Debug)]
pub(crate) struct Node {
    /// Byte in the text.
    pub(crate) at: u32,
    pub(crate) depth: u16,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    /// The name of a type.
    Type(&'static str),
    /// By index in the environment.
    Global(usize),
    /// `variables.NAME`, by index in the environment.
    Variable(usize),
    /// What a comprehension or `cel.bind` names, by its place on the stack.
    Local(usize),
    /// Elements; whether one is optional.
    List(Vec<(bool, Node)>),
    /// Keys and values; whether the entry is optional.
    Map(Vec<(bool, Node, Node)>),
    Select {
        of: Box<Node>,
        field: Box<str>,
        optional: bool,
    },
    Has {
        of: Box<Node>,
        field: Box<str>,
    },
    Index {
        of: Box<Node>,
        index: Box<Node>,
        optional: bool,
    },
    /// `||` over any number.
    Or(Vec<Node>),
    /// `&&` over any number.
    And(Vec<Node>),
    Not(Box<Node>),
    Minus(Box<Node>),
    /// Condition, then, else.
    Choose(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    /// The receiver comes first.
    Call(&'static Function, Vec<Node>),
    /// `matches` with an expression that was compiled when it was read.
    Matches(Box<Node>, Box<Regex>),
    Fold(Box<Fold>),
    /// `cel.bind`: a value and what is evaluated with it.
    Bind(Box<[Node; 2]>),
    /// `or` and `orValue`: an optional, and what stands in for it; whether that is an optional, too.
    Else {
        of: Box<Node>,
        other: Box<Node>,
        flat: bool,
    },
    /// `optMap` and `optFlatMap`: an optional, and what is made of its value.
    Optional {
        of: Box<Node>,
        body: Box<Node>,
        flat: bool,
    },
}

/// A comprehension.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) over: Node,
    /// Whether it names index or key, and element or value.
    pub(crate) two: bool,
    pub(crate) what: Folding,
    /// Which elements count; absent: all.
    pub(crate) test: Option<Node>,
    /// What is made of each.
    pub(crate) make: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folding {
    All,
    Exists,
    ExistsOne,
    /// The elements themselves, those that pass the test.
    Filter,
    /// A list of what is made.
    List,
    /// A map of the same keys to what is made.
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Rest,
}

impl Operator {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Rest => "%",
        }
    }

    /// How tightly it binds: comparisons 1, sums 2, products 3.
    pub(crate) const fn tightness(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 2,
            Self::Multiply | Self::Divide | Self::Rest => 3,
            _ => 1,
        }
    }

    pub(crate) const ALL: [Self; 12] = [
        Self::Equal,
        Self::Unequal,
        Self::LessOrEqual,
        Self::GreaterOrEqual,
        Self::Less,
        Self::Greater,
        Self::In,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Rest,
    ];
}

impl Kind {
    /// Levels below.
    pub(crate) fn depth(&self) -> u16 {
        let most = |nodes: &mut dyn Iterator<Item = &Node>| nodes.map(|node| node.depth).max().unwrap_or(0);
        match self {
            Self::List(items) => most(&mut items.iter().map(|(_, node)| node)),
            Self::Map(entries) => most(&mut entries.iter().flat_map(|(_, key, value)| [key, value])),
            Self::Select { of, .. } | Self::Has { of, .. } => of.depth,
            Self::Index { of, index, .. } => of.depth.max(index.depth),
            Self::Or(nodes) | Self::And(nodes) | Self::Call(_, nodes) => most(&mut nodes.iter()),
            Self::Not(node) | Self::Minus(node) | Self::Matches(node, _) => node.depth,
            Self::Choose(nodes) => most(&mut nodes.iter()),
            Self::Binary(_, nodes) | Self::Bind(nodes) => most(&mut nodes.iter()),
            Self::Fold(fold) => {
                let parts = [Some(&fold.over), fold.test.as_ref(), fold.make.as_ref()];
                most(&mut parts.into_iter().flatten())
            }
            Self::Optional { of, body: other, .. } | Self::Else { of, other, .. } => {
                of.depth.max(other.depth)
            }
            _ => 0,
        }
    }
}
