//! Statements that are put together piece by piece, for both databases: numbered placeholders, values apart from text.

use sqlx::{
    Any, AssertSqlSafe, Encode, Type,
    any::{AnyArguments, AnyRow},
    query::{Query as Statement, QueryScalar},
};

/// A statement that grows. The text comes from this crate only; everything from outside is bound.
pub(super) struct Query {
    text: String,
    values: AnyArguments,
    bound: usize,
}

impl Query {
    pub(super) fn new(start: &'static str) -> Self {
        Self { text: start.to_owned(), values: AnyArguments::default(), bound: 0 }
    }

    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(super) fn push_bind<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) -> &mut Self {
        use sqlx::Arguments as _;
        // Only encoding can fail, and none of the types we bind does; a missing value is an error of the database.
        if self.values.add(value).is_ok() {
            self.bound += 1;
        }
        self.text.push('$');
        self.text.push_str(&self.bound.to_string());
        self
    }

    /// `(value, value, …), (…), …` for each of `items`.
    pub(super) fn push_values<I>(
        &mut self,
        items: impl IntoIterator<Item = I>,
        each: impl Fn(&mut Row<'_>, I),
    ) {
        self.push("VALUES ");
        for (place, item) in items.into_iter().enumerate() {
            self.push(if place == 0 { "(" } else { "), (" });
            each(&mut Row { query: self, first: true }, item);
        }
        self.push(")");
    }

    /// `$1, $2, …`: the inside of `IN (…)`.
    pub(super) fn push_list<'t, T: Encode<'t, Any> + Type<Any>>(
        &mut self,
        values: impl IntoIterator<Item = T>,
    ) {
        let mut row = Row { query: self, first: true };
        for value in values {
            row.push_bind(value);
        }
    }

    pub(super) fn build(self) -> Statement<'static, Any, AnyArguments> {
        sqlx::query_with(AssertSqlSafe(self.text), self.values)
    }

    pub(super) fn scalar<O>(self) -> QueryScalar<'static, Any, O, AnyArguments>
    where
        (O,): for<'r> sqlx::FromRow<'r, AnyRow>,
    {
        sqlx::query_scalar_with(AssertSqlSafe(self.text), self.values)
    }
}

/// One row of values.
pub(super) struct Row<'q> {
    query: &'q mut Query,
    first: bool,
}

impl Row<'_> {
    pub(super) fn push_bind<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) -> &mut Self {
        if !std::mem::take(&mut self.first) {
            self.query.push(", ");
        }
        self.query.push_bind(value);
        self
    }
}
