//! Events as they are sent: `CloudEvents` 1.0.2, JSON event format.

use boltseal_model::{Digest, Timestamp};
use serde_json::{Value, json};

/// Something to be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    /// What it is, in one word.
    pub(super) word: &'static str,
    /// Where, if it is about one repository.
    pub(super) repository: Option<String>,
    /// When it happened.
    pub(super) at: Timestamp,
    /// Tells it from all others; the same whenever it is made again.
    pub(super) key: String,
    /// The rest.
    pub(super) data: Value,
}

impl Event {
    /// Its name for one webhook: the same whenever it is made again, so that nobody is told twice.
    pub(super) fn id(&self, webhook: &str) -> String {
        let hash = Digest::of(format!("{webhook}\n{}\n{}", self.word, self.key).as_bytes());
        let hex: String = hash.to_string().chars().skip("sha256:".len()).take(32).collect();
        format!("msg_{hex}")
    }

    /// As it is sent.
    pub(super) fn body(&self, id: &str, source: &str) -> String {
        let subject = match (&self.repository, self.data.get("digest").and_then(Value::as_str)) {
            (Some(repository), Some(digest)) => format!("{repository}@{digest}"),
            (Some(repository), None) => repository.clone(),
            (None, _) => String::new(),
        };
        let mut event = json!({
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": format!("boltseal.registry.{}", self.word),
            "time": self.at.to_string(),
            "datacontenttype": "application/json",
            "data": self.data,
        });
        if let Some(object) = event.as_object_mut()
            && !subject.is_empty()
        {
            object.insert("subject".to_owned(), subject.into());
        }
        event.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_called_the_same_every_time() {
        let event = Event {
            word: "push",
            repository: Some("team/app".to_owned()),
            at: Timestamp::UNIX_EPOCH,
            key: "7 team/app".to_owned(),
            data: json!({ "digest": "sha256:00", "tags": ["v1"] }),
        };
        assert_eq!(event.id("ci"), event.clone().id("ci"));
        assert_ne!(event.id("ci"), event.id("other"), "each webhook has its own");
        let body: Value =
            serde_json::from_str(&event.body("msg_1", "//log.example/registry")).unwrap_or_default();
        for (name, expected) in [
            ("specversion", "1.0"),
            ("id", "msg_1"),
            ("type", "boltseal.registry.push"),
            ("subject", "team/app@sha256:00"),
            ("time", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(body.get(name).and_then(Value::as_str), Some(expected), "{name}");
        }
    }
}
