//! Set, unset or unknown: what a definition says about one thing, and where it says it.

/// Where something stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Counted from one; of what is missing, the line of what should have it.
    pub line: u32,
    /// As people of that orchestrator write it: `spec.containers[0].securityContext.privileged`.
    pub path: String,
}

/// What a definition says about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf<T> {
    /// It says this.
    Set(T, Place),
    /// It says nothing, so the platform's default holds.
    Unset(Place),
    /// It says something that cannot be told from the file, and why: an expression, a variable, a mistake.
    Unknown(String, Place),
}

impl<T> Leaf<T> {
    /// The value, if it is set and known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Set(value, _) => Some(value),
            Self::Unset(_) | Self::Unknown(..) => None,
        }
    }

    /// Whether the definition is silent.
    pub const fn is_unset(&self) -> bool {
        matches!(self, Self::Unset(_))
    }

    /// Why the value cannot be told.
    pub const fn unknown(&self) -> Option<&str> {
        match self {
            Self::Unknown(why, _) => Some(why.as_str()),
            _ => None,
        }
    }

    /// Where it stands, or should stand.
    pub const fn place(&self) -> &Place {
        match self {
            Self::Set(_, place) | Self::Unset(place) | Self::Unknown(_, place) => place,
        }
    }

    /// This, or `other` where the definition is silent here.
    #[must_use]
    pub const fn or<'a>(&'a self, other: &'a Self) -> &'a Self {
        if self.is_unset() { other } else { self }
    }

    /// The same of another type.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Leaf<U> {
        match self {
            Self::Set(value, place) => Leaf::Set(with(value), place),
            Self::Unset(place) => Leaf::Unset(place),
            Self::Unknown(why, place) => Leaf::Unknown(why, place),
        }
    }
}

impl Leaf<bool> {
    /// Whether it is known to be on.
    pub fn is_on(&self) -> bool {
        self.known() == Some(&true)
    }

    /// Whether it is known to be off.
    pub fn is_off(&self) -> bool {
        self.known() == Some(&false)
    }
}

impl<T> Default for Leaf<T> {
    /// Silence without a place.
    fn default() -> Self {
        Self::Unset(Place::default())
    }
}
