//! Expressions of CEL in Kubernetes' dialect: read once, then evaluated over JSON within a counted budget.
//!
//! ```
//! use boltseal_cel::{Budget, Environment, Scope};
//!
//! let mut environment = Environment::new(&["object"]);
//! environment.define("containers", "object.spec.containers + object.spec.?initContainers.orValue([])")?;
//! let program = environment.compile("variables.containers.all(c, !c.image.endsWith(':latest'))")?;
//!
//! let pod = serde_json::json!({"spec": {"containers": [{"name": "web", "image": "nginx:latest"}]}});
//! let scope = Scope::new(&environment, vec![(&pod).into()]);
//! let value = scope.evaluate(&program, &mut Budget::default())?;
//! assert_eq!(value.truth(), Some(false));
//!
//! let refused = environment.compile("object.spec.containers.any(c, true)").unwrap_err();
//! assert_eq!(
//!     refused.to_string(),
//!     "line 1, column 24: `any` is no function or macro here\n  \
//!      object.spec.containers.any(c, true)\n                         ^"
//! );
//! # Ok::<(), boltseal_cel::Error>(())
//! ```
//!
//! | type | what |
//! |---|---|
//! | [`Environment`] | which names an expression may use: globals, and `variables.NAME` that are expressions themselves |
//! | [`Program`] | an expression, read and checked |
//! | [`Scope`] | what the globals stand for; `variables` are worked out once, when somebody asks |
//! | [`Budget`] | how much work is left; the same work always costs the same |
//! | [`Value`] | what comes out; JSON is borrowed, never copied |
//! | [`Error`] | what is wrong, with line, column and the line itself |
//!
//! The language is that of the CEL specification without protocol buffers, but with timestamps and durations, with its
//! extension `math`, and with what an API server of Kubernetes adds: optional values, strings, lists, sets, regular expressions, quantities, IP addresses, URLs,
//! versions, formats, comprehensions over two variables. `docs/guide/cel.md` lists every function. A function that is not
//! there is refused when the expression is read, with its place; there are no types before run time.
//!
//! A language without loops is not a language without cost: nested comprehensions multiply. So every step is counted,
//! work on long values by its length, and [`Budget`] ends it at the number at which an API server does
//! ([`Budget::EXPRESSION`]). Counting rather than a clock keeps one answer for one input. Bounds when it is read:
//! 16 KiB of text, 200 levels, 4 nested comprehensions.
//!
//! This crate must not know: policies, workloads, where a value came from, the clock, I/O.

mod budget;
mod compare;
mod environment;
mod error;
mod evaluate;
mod fold;
mod functions;
mod literal;
mod macros;
mod names;
mod parse;
mod show;
mod token;
mod tree;
mod value;

pub use budget::Budget;
pub use environment::{Environment, Program, Scope};
pub use error::Error;
pub use functions::{Style, names};
pub use value::Value;
