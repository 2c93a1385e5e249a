//! Bytes on their way into one object: in one request when they are few, in equal parts when they are many.

use std::sync::mpsc;

use boltseal_model::Timestamp;
use bytes::Bytes;
use object_store::{PutPayload, multipart::PartId};
use tokio::sync::OwnedSemaphorePermit;

use super::{HOLD, LARGE, Objects, failure};
use crate::Error;

/// Bytes of a part. All but the last are equal, as R2 wants it; ten thousand of them are more than a blob may have.
pub(super) const PART: usize = 8 << 20;
/// What counts as few: below it nobody waits for memory.
const SMALL: usize = 1 << 20;
/// How long an upload waits for others to end.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// One object that grows. At most two parts of it are in memory: one that fills, and one on its way.
pub(super) struct Stream {
    objects: Objects,
    /// The upload session it belongs to.
    session: Option<String>,
    /// Bytes of its parts.
    pub(super) part: usize,
    /// Set as soon as it comes in parts.
    pub(super) begun: Option<Begun>,
    /// Parts that are stored, as the store calls them.
    pub(super) parts: Vec<String>,
    /// The part on its way.
    pub(super) pending: Option<mpsc::Receiver<Result<String, Error>>>,
    /// The part that fills.
    pub(super) buffer: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
    /// When its place is due, unless it belongs to a session.
    due: Timestamp,
}

/// An object in parts.
#[derive(Clone)]
pub(super) struct Begun {
    pub(super) place: String,
    pub(super) multipart: String,
}

impl Stream {
    pub(super) fn new(objects: Objects, session: Option<String>) -> Self {
        Self {
            objects,
            session,
            part: PART,
            begun: None,
            parts: Vec::new(),
            pending: None,
            buffer: Vec::new(),
            room: None,
            due: Timestamp::now(),
        }
    }

    /// Adds the next bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        if self.room.is_none() && self.buffer.len() + bytes.len() > SMALL {
            self.room = Some(self.room()?);
        }
        while !bytes.is_empty() {
            // A full part goes only when more comes: whether it is the last one shows at the end.
            if self.buffer.len() >= self.part {
                self.send()?;
            }
            let (now, later) =
                bytes.split_at(bytes.len().min(self.part.saturating_sub(self.buffer.len()).max(1)));
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Waits for the part on its way.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if let Some(pending) = self.pending.take() {
            self.parts.push(pending.recv().map_err(|_| Error::Closed)??);
        }
        Ok(())
    }

    /// Ends the object. Gives its place.
    pub(super) fn finish(&mut self) -> Result<String, Error> {
        self.settle()?;
        let Some(Begun { place, multipart }) = self.begun.clone() else {
            let place = self.objects.announce(self.session.as_deref())?;
            self.objects.put(&place, Bytes::from(std::mem::take(&mut self.buffer)))?;
            return Ok(place);
        };
        if !self.buffer.is_empty() {
            self.send()?;
            self.settle()?;
        }
        let parts = self.parts.iter().map(|id| PartId { content_id: id.clone() }).collect();
        let (inner, object) = (self.objects.0.clone(), place.clone());
        let session = self.session.clone();
        self.objects.wait(async move {
            match inner.service.complete_multipart(&inner.path(&object), &multipart, parts).await {
                Ok(_) => Ok(()),
                Err(error) if failure::is_gone(&error) => Err(Error::NoUpload(session.unwrap_or(object))),
                Err(error) => Err(failure::of("finish", &object, &error)),
            }
        })?;
        Ok(place)
    }

    /// Sends the part that filled.
    fn send(&mut self) -> Result<(), Error> {
        self.settle()?;
        let Begun { place, multipart } = self.begin()?;
        if self.session.is_none() && self.due < Timestamp::now() + HOLD / 2 {
            self.hold(&place)?;
        }
        let payload = PutPayload::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(self.part)));
        let (inner, number) = (self.objects.0.clone(), self.parts.len());
        self.pending = Some(self.objects.start(async move {
            let sent = inner.service.put_part(&inner.path(&place), &multipart, number, payload).await;
            sent.map(|part| part.content_id).map_err(|error| failure::of("store a part of", &place, &error))
        }));
        Ok(())
    }

    fn begin(&mut self) -> Result<Begun, Error> {
        if let Some(begun) = &self.begun {
            return Ok(begun.clone());
        }
        let place = self.objects.announce(self.session.as_deref())?;
        self.due = Timestamp::now() + HOLD;
        let (inner, object) = (self.objects.0.clone(), place.clone());
        let multipart = self.objects.wait(async move {
            let begun = inner.service.create_multipart(&inner.path(&object)).await;
            let multipart = begun.map_err(|error| failure::of("begin", &object, &error))?;
            inner.facts.object_in_parts(&object, &multipart).await?;
            Ok(multipart)
        })?;
        let begun = Begun { place, multipart };
        self.begun = Some(begun.clone());
        Ok(begun)
    }

    fn hold(&mut self, place: &str) -> Result<(), Error> {
        let due = Timestamp::now() + HOLD;
        let (facts, place) = (self.objects.0.facts.clone(), place.to_owned());
        self.objects.wait(async move { facts.hold_object(&place, due).await })?;
        self.due = due;
        Ok(())
    }

    fn room(&self) -> Result<OwnedSemaphorePermit, Error> {
        let large = self.objects.0.large.clone();
        self.objects.wait(async move {
            let room = tokio::time::timeout(PATIENCE, large.acquire_owned()).await;
            room.ok().and_then(Result::ok).ok_or(Error::TooManyUploads { limit: LARGE })
        })
    }
}
