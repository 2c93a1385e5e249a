//! Which names an expression may use, and what they stand for.

use std::cell::RefCell;

use crate::{
    budget::Budget,
    error::{Error, Halt, Stop},
    evaluate::Run,
    parse,
    tree::Node,
    value::Value,
};

/// Expressions that one environment may define: an API server takes 20 or so in practice, and bounds bytes instead.
const MAX_VARIABLES: usize = 200;

/// Globals, and `variables.NAME` that are expressions themselves.
#[derive(Debug, Default)]
pub struct Environment {
    pub(crate) globals: Vec<String>,
    pub(crate) variables: Vec<(String, Program)>,
}

/// An expression, read and checked against an [`Environment`].
#[derive(Debug)]
pub struct Program {
    pub(crate) source: String,
    pub(crate) root: Node,
    /// Globals that it looks at, itself or by its variables, by their index.
    pub(crate) used: Vec<usize>,
    /// Their names.
    names: Vec<String>,
}

impl Environment {
    /// One with these globals.
    pub fn new(globals: &[&str]) -> Self {
        Self { globals: globals.iter().map(|&name| name.to_owned()).collect(), variables: Vec::new() }
    }

    /// Makes `variables.NAME` an expression over the globals and what was defined before it.
    pub fn define(&mut self, name: &str, source: &str) -> Result<(), Error> {
        if self.variables.len() >= MAX_VARIABLES {
            return Err(Error::new(source, 0, format!("more than {MAX_VARIABLES} variables")));
        }
        if self.variables.iter().any(|(own, _)| own == name) {
            return Err(Error::new(source, 0, format!("`variables.{name}` is defined twice")));
        }
        let program = self.compile(source)?;
        self.variables.push((name.to_owned(), program));
        Ok(())
    }

    /// What is defined: names and expressions, in their order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, program)| (name.as_str(), program.source.as_str()))
    }

    /// Reads an expression.
    pub fn compile(&self, source: &str) -> Result<Program, Error> {
        let (root, used) = parse::read(self, source)?;
        let names = used.iter().filter_map(|index| self.globals.get(*index).cloned()).collect();
        Ok(Program { source: source.to_owned(), root, used, names })
    }
}

impl Program {
    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it looks at this global, itself or by its variables.
    pub fn uses(&self, global: &str) -> bool {
        self.names.iter().any(|name| name == global)
    }
}

/// How far a variable is worked out.
enum State<'a> {
    Waiting,
    Done(Result<Value<'a>, Stop>),
}

/// What the globals of an [`Environment`] stand for, about one object. Variables are worked out once, when first asked for.
pub struct Scope<'a> {
    environment: &'a Environment,
    pub(crate) globals: Vec<Value<'a>>,
    variables: RefCell<Vec<State<'a>>>,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("globals", &self.environment.globals).finish_non_exhaustive()
    }
}

impl<'a> Scope<'a> {
    /// With a value for each global, in their order. What is missing is `null`.
    pub fn new(environment: &'a Environment, globals: Vec<Value<'a>>) -> Self {
        let waiting = environment.variables.iter().map(|_| State::Waiting).collect();
        Self { environment, globals, variables: RefCell::new(waiting) }
    }

    /// What an expression of the same environment comes to.
    pub fn evaluate(&self, program: &'a Program, budget: &mut Budget) -> Result<Value<'a>, Error> {
        let mut run = Run { scope: self, budget, locals: Vec::new() };
        run.value(&program.root).map_err(|halt| halt.error(&program.source))
    }

    pub(crate) fn variable(&self, index: usize, at: u32, budget: &mut Budget) -> Result<Value<'a>, Halt> {
        if let Some(State::Done(done)) = self.variables.borrow().get(index) {
            return done.clone().map_err(|stop| stop.at(at));
        }
        let environment: &'a Environment = self.environment;
        let Some((name, program)) = environment.variables.get(index) else {
            return Err(Stop::Wrong("no such variable".to_owned()).at(at));
        };
        // A variable uses only those before it, so this goes down and ends.
        let mut run = Run { scope: self, budget, locals: Vec::new() };
        let done = run.value(&program.root).map_err(|halt| match halt.stop {
            Stop::Spent => Stop::Spent,
            Stop::Wrong(_) => {
                let error = halt.error(&program.source);
                Stop::Wrong(format!("variables.{name}: {}", error.sentence()))
            }
        });
        if let Some(state) = self.variables.borrow_mut().get_mut(index) {
            *state = State::Done(done.clone());
        }
        done.map_err(|stop| stop.at(at))
    }
}
