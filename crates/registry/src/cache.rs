//! What is looked up at every pull, kept in memory within bounds, and never older than the last change.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use boltseal_store::Facts;

/// A bounded cache over a slower truth.
///
/// Whoever changes the truth calls [`Cache::forget`] afterwards. A reader that loaded just before a change and comes to
/// store its copy just after would keep an old answer for ever; the generation tells it to throw its copy away.
pub(crate) struct Cache<V> {
    entries: moka::sync::Cache<Box<str>, Arc<V>>,
    generation: AtomicU64,
    /// Says whether changes of other servers are heard of. While they are not, nothing is answered from memory.
    facts: Option<Facts>,
}

impl<V: Send + Sync + 'static> Cache<V> {
    /// Holds at most `capacity` as `weight` counts it.
    pub(crate) fn new(capacity: u64, weight: fn(&str, &V) -> usize) -> Self {
        let entries = moka::sync::Cache::<Box<str>, Arc<V>>::builder()
            .max_capacity(capacity)
            .weigher(move |key, value| u32::try_from(weight(key, value)).unwrap_or(u32::MAX))
            .build();
        Self { entries, generation: AtomicU64::new(0), facts: None }
    }

    /// The same over facts that other servers may change.
    pub(crate) fn over(self, facts: &Facts) -> Self {
        Self { facts: facts.is_shared().then(|| facts.clone()), ..self }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<V>> {
        if self.facts.as_ref().is_some_and(|facts| !facts.is_sure()) {
            return None;
        }
        self.entries.get(key)
    }

    /// The entry, or what `load` finds; nothing is kept of a load that finds nothing.
    pub(crate) async fn get_or<E>(
        &self,
        key: &str,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        if let Some(found) = self.get(key) {
            return Ok(Some(found));
        }
        let before = self.generation.load(Ordering::SeqCst);
        let Some(loaded) = load.await?.map(Arc::new) else { return Ok(None) };
        self.entries.insert(key.into(), Arc::clone(&loaded));
        if self.generation.load(Ordering::SeqCst) != before {
            self.entries.invalidate(key);
        }
        Ok(Some(loaded))
    }

    /// The truth about `key` has changed.
    pub(crate) fn forget(&self, key: &str) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.entries.invalidate(key);
    }

    /// The truth about every key that begins so has changed. Costs a look at each entry.
    pub(crate) fn forget_below(&self, prefix: &str) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for (key, _) in self.entries.iter().filter(|(key, _)| key.starts_with(prefix)) {
            self.entries.invalidate(&**key);
        }
    }

    /// The truth about many has changed.
    pub(crate) fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.entries.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_during_a_load_is_not_overwritten() {
        let cache = Cache::<u32>::new(1000, |_, _| 1);
        let load = async {
            cache.forget("a");
            Ok::<_, ()>(Some(1))
        };
        assert_eq!(
            cache.get_or("a", load).await.unwrap().as_deref(),
            Some(&1),
            "the caller gets what it read"
        );
        assert!(cache.get("a").is_none(), "but it is not kept");
        cache.get_or("a", async { Ok::<_, ()>(Some(2)) }).await.unwrap();
        assert_eq!(cache.get("a").as_deref(), Some(&2));
        cache.get_or("ab", async { Ok::<_, ()>(Some(3)) }).await.unwrap();
        cache.forget_below("ab");
        assert!(cache.get("a").is_some() && cache.get("ab").is_none());
        cache.forget_all();
        assert!(cache.get("a").is_none());
    }
}
