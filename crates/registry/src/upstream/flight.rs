//! Things that many want and one fetches.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::Trouble;

/// Things on their way at the same time. Each is a task and some memory; more than this is somebody who fetches all
/// there is.
const MAX_FLIGHTS: usize = 256;

/// How a flight ended.
pub(crate) type Landed = Result<(), Trouble>;

/// What is on its way.
#[derive(Clone, Default)]
pub(crate) struct Flights(Arc<Mutex<HashMap<String, watch::Receiver<Option<Landed>>>>>);

/// A flight that somebody waits for. Nobody needs to: it lands anyway.
pub(crate) struct Waiting(watch::Receiver<Option<Landed>>);

impl Flights {
    /// Joins the flight for `key`, or begins it with `work`. `None`: too many are on their way.
    pub(crate) fn join<F>(&self, key: &str, work: impl FnOnce() -> F) -> Option<Waiting>
    where
        F: Future<Output = Landed> + Send + 'static,
    {
        let mut flights = self.lock();
        if let Some(under_way) = flights.get(key) {
            return Some(Waiting(under_way.clone()));
        }
        if flights.len() >= MAX_FLIGHTS {
            return None;
        }
        let (tell, told) = watch::channel(None);
        flights.insert(key.to_owned(), told.clone());
        drop(flights);
        let (this, key, work) = (self.clone(), key.to_owned(), tokio::spawn(work()));
        tokio::spawn(async move {
            let landed = work.await.unwrap_or_else(|error| Err(Trouble::ended(error)));
            // Whoever comes from now on finds it stored.
            this.lock().remove(&key);
            let _nobody_waits = tell.send(Some(landed));
        });
        Some(Waiting(told))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Option<Landed>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// How it ended; `None` if it has not within `patience`.
    pub(crate) async fn within(self, patience: Duration) -> Option<Landed> {
        tokio::time::timeout(patience, self.landed()).await.ok()
    }

    /// How it ended.
    pub(crate) async fn landed(mut self) -> Landed {
        match self.0.wait_for(Option::is_some).await {
            Ok(landed) => landed.clone().unwrap_or(Ok(())),
            Err(error) => Err(Trouble::ended(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_wait_for_one() {
        let (flights, begun) = (Flights::default(), Arc::new(AtomicU32::new(0)));
        let (go, gone) = watch::channel(false);
        let waiting: Vec<_> = (0..100)
            .map(|_| {
                let (begun, mut gone) = (Arc::clone(&begun), gone.clone());
                let work = move || async move {
                    begun.fetch_add(1, Ordering::SeqCst);
                    let _told = gone.wait_for(|go| *go).await;
                    Err(Trouble::Away("away".to_owned()))
                };
                flights.join("a", work).unwrap()
            })
            .collect();
        assert!(flights.join("b", || async { Ok(()) }).unwrap().landed().await.is_ok(), "others go on");
        assert!(flights.join("a", || async { Ok(()) }).unwrap().within(Duration::ZERO).await.is_none());
        go.send(true).unwrap();
        for one in waiting {
            assert_eq!(one.landed().await.unwrap_err().sentence(), "away");
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        assert!(
            flights.join("a", || async { Ok(()) }).unwrap().landed().await.is_ok(),
            "the next one begins anew"
        );
    }

    #[tokio::test]
    async fn who_panics_tells_those_who_wait() {
        let flights = Flights::default();
        let waiting = flights.join("a", || async { panic!("told to") }).unwrap();
        assert!(matches!(waiting.landed().await, Err(Trouble::Ours(_))));
    }
}
