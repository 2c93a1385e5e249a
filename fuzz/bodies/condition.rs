//! Any text: reading it as a condition never panics, and what is one means the same when Azure's words for it are read.

use boltseal_identity::{Condition, Scope, ScopePattern};

/// Reads `text` as a condition, and as a scope.
pub fn body(text: &str) {
    if let Ok(condition) = text.parse::<Condition>() {
        assert_eq!(condition.as_str(), text.trim());
        // In Azure's words it may be longer than a condition may be; then it is refused for that and nothing else.
        let azure = condition.azure();
        match azure.parse::<Condition>() {
            Ok(again) => assert!(again == condition && again.azure() == azure, "{azure}"),
            Err(error) => assert!(azure.len() > 8192, "{azure}: {error}"),
        }
    }
    if let Ok(pattern) = text.parse::<ScopePattern>() {
        assert!(pattern.includes(&pattern) && ScopePattern::root().includes(&pattern));
        assert_eq!(pattern.as_str().parse(), Ok(pattern.clone()));
        if let Some(scope) = pattern.as_scope() {
            assert!(pattern.covers(&scope) && text.parse::<Scope>() == Ok(scope));
        }
    }
}
