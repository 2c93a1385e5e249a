//! Comprehensions.

use std::rc::Rc;

use crate::{
    error::{Halt, Stop},
    evaluate::{Found, Run, wrong},
    tree::{Fold, Folding},
    value::{Map, Value},
};

/// What a comprehension has so far.
struct State<'a> {
    /// How many passed the test.
    passed: usize,
    list: Vec<Value<'a>>,
    map: Vec<(Value<'a>, Value<'a>)>,
    /// What went wrong first, where others may still decide.
    halt: Option<Halt>,
}

impl<'a> Run<'_, 'a> {
    pub(crate) fn fold(&mut self, fold: &'a Fold, at: u32) -> Found<'a> {
        let over = self.value(&fold.over)?;
        let mut state = State { passed: 0, list: Vec::new(), map: Vec::new(), halt: None };
        let mark = self.locals.len();
        let mut decided = None;
        for (key, value) in self.turns(&over, fold.two, at)? {
            self.budget.step(1).map_err(|stop| stop.at(at))?;
            let kept = match fold.what {
                Folding::Filter => value.clone().or(Some(key.clone())),
                _ => None,
            };
            let index = key.clone();
            self.locals.push(key);
            self.locals.extend(value);
            let turn = self.turn(fold, &mut state, index, kept);
            self.locals.truncate(mark);
            decided = turn?;
            if decided.is_some() {
                break;
            }
        }
        if let Some(decided) = decided {
            return Ok(Value::Bool(decided));
        }
        if let Some(halt) = state.halt {
            return Err(halt);
        }
        Ok(match fold.what {
            Folding::All => Value::Bool(true),
            Folding::Exists => Value::Bool(false),
            Folding::ExistsOne => Value::Bool(state.passed == 1),
            Folding::Filter | Folding::List => Value::list(state.list),
            Folding::Map => Value::Map(Map::Made(Rc::new(state.map))),
        })
    }

    /// What each turn names: an element or a key; or index and element, key and value.
    fn turns(
        &mut self,
        over: &Value<'a>,
        two: bool,
        at: u32,
    ) -> Result<Vec<(Value<'a>, Option<Value<'a>>)>, Halt> {
        let length = match over {
            Value::List(list) => list.len(),
            Value::Map(map) => map.len(),
            _ => 0,
        };
        self.budget.items(length).map_err(|stop| stop.at(at))?;
        let index = |index: usize| Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
        Ok(match (over, two) {
            (Value::List(list), false) => list.iter().map(|item| (item, None)).collect(),
            (Value::List(list), true) => {
                list.iter().enumerate().map(|(number, item)| (index(number), Some(item))).collect()
            }
            (Value::Map(map), false) => map.entries().into_iter().map(|(key, _)| (key, None)).collect(),
            (Value::Map(map), true) => {
                map.entries().into_iter().map(|(key, value)| (key, Some(value))).collect()
            }
            (other, _) => return Err(wrong(at, format!("{} has no elements to go through", other.kind()))),
        })
    }

    /// One turn; what the whole comes to where that is decided.
    fn turn(
        &mut self,
        fold: &'a Fold,
        state: &mut State<'a>,
        key: Value<'a>,
        kept: Option<Value<'a>>,
    ) -> Result<Option<bool>, Halt> {
        let passes = match fold.test.as_ref().map(|test| self.truth(test)) {
            None => true,
            Some(Ok(passes)) => passes,
            // `all` and `exists` are `&&` and `||`: another element may decide alone.
            Some(Err(halt))
                if matches!(fold.what, Folding::All | Folding::Exists)
                    && !matches!(halt.stop, Stop::Spent) =>
            {
                state.halt.get_or_insert(halt);
                return Ok(None);
            }
            Some(Err(halt)) => return Err(halt),
        };
        match fold.what {
            Folding::All if !passes => return Ok(Some(false)),
            Folding::Exists if passes => return Ok(Some(true)),
            _ if !passes => return Ok(None),
            _ => state.passed += 1,
        }
        state.list.extend(kept);
        if let Some(make) = &fold.make {
            let made = self.value(make)?;
            if fold.what == Folding::Map {
                state.map.push((key, made));
            } else {
                state.list.push(made);
            }
        }
        Ok(None)
    }
}
