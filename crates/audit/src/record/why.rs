//! Whether it was done, why, and how much it matters.

/// Whether something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Nobody knows.
    Unknown,
    /// It was done.
    Success,
    /// It was not allowed.
    Denied,
    /// It was allowed, and did not work.
    Failure,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Success, Self::Denied, Self::Failure];

    /// The word for filters, the command line and the dashboard.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failure => "failure",
        }
    }

    /// The outcome with this word.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == text)
    }

    /// OCSF's `status_id` and `status`.
    pub(crate) const fn status(self) -> (u32, &'static str) {
        match self {
            Self::Unknown => (0, "Unknown"),
            Self::Success => (1, "Success"),
            Self::Denied | Self::Failure => (2, "Failure"),
        }
    }

    /// OCSF's `action_id` and `action` of the profile Security Control.
    pub(crate) const fn action(self) -> (u32, &'static str) {
        match self {
            Self::Unknown => (0, "Unknown"),
            Self::Success | Self::Failure => (1, "Allowed"),
            Self::Denied => (2, "Denied"),
        }
    }
}

/// Why something was allowed or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// Nobody asked: it needs no permission, or another system did not say.
    #[default]
    Unstated,
    /// A role assignment allows it.
    Granted {
        /// The assignment's id.
        assignment: String,
        /// The role's name.
        role: String,
        /// The scope it was assigned at.
        scope: String,
    },
    /// Something else than an assignment allows or forbids it, in words: anonymous pull, another system's rule.
    Rule(String),
    /// Nothing allows it; what is missing, in words.
    Missing(String),
}

impl Why {
    /// A role assignment allows it.
    pub fn granted(assignment: impl Into<String>, role: impl Into<String>, scope: impl Into<String>) -> Self {
        Self::Granted { assignment: assignment.into(), role: role.into(), scope: scope.into() }
    }

    /// A rule allows or forbids it.
    pub fn rule(words: impl Into<String>) -> Self {
        Self::Rule(words.into())
    }

    /// Nothing allows it.
    pub fn missing(words: impl Into<String>) -> Self {
        Self::Missing(words.into())
    }
}

/// How much something matters; OCSF's `severity_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Daily business.
    #[default]
    Informational,
    /// Worth a glance.
    Low,
    /// Worth a look.
    Medium,
    /// Look today.
    High,
    /// Look now.
    Critical,
}

impl Severity {
    /// Every severity, from the least.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// OCSF's `severity_id` and `severity`.
    pub const fn ocsf(self) -> (u32, &'static str) {
        match self {
            Self::Informational => (1, "Informational"),
            Self::Low => (2, "Low"),
            Self::Medium => (3, "Medium"),
            Self::High => (4, "High"),
            Self::Critical => (5, "Critical"),
        }
    }

    /// The word for filters, the command line and the dashboard.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity with this word.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == text)
    }

    /// The severity with this number; a foreign one is the nearest of ours.
    pub(super) fn of_ocsf(id: u32) -> Self {
        match id {
            0 | 1 => Self::Informational,
            2 => Self::Low,
            3 => Self::Medium,
            4 => Self::High,
            _ => Self::Critical,
        }
    }
}
