//! The log in other systems' formats, as a stream of lines.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::State as From,
    http::header,
    response::{IntoResponse, Response},
};
use boltseal_audit::{
    Record,
    export::{self, Format, Gap},
    log::Reader,
    query::Filter,
};
use boltseal_model::Timestamp;
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::{
    State,
    asking::Asking,
    failure::Failure,
    recorder::{Error, Place},
};

/// Bytes that are gathered before they are sent.
const PIECE: usize = 64 << 10;
/// Pieces that wait for a slow receiver.
const PIECES: usize = 4;

/// `GET /api/v1/audit/export?format=&since=&until=`: everything that is sealed, oldest first, one record a line.
/// `from` begins at an entry. A stream that ends in an error was cut: the last line may be missing.
pub(crate) async fn export(From(state): From<State>, asking: Asking) -> Result<Response, Failure> {
    let word = asking.some("format").unwrap_or_else(|| "ocsf".to_owned());
    let format = Format::named(&word).ok_or_else(|| {
        let known = Format::ALL.map(Format::name).join(", ");
        Failure::Asked(format!("format `{word}` is not known: use {known}"))
    })?;
    let filter = Filter::parse(["since", "until"].map(|name| (name, asking.text(name).to_owned())))
        .map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let permit = state.exchange.exports().try_acquire_owned().map_err(|_| Failure::Busy)?;
    let source = Source {
        reader: state.recorder.reader()?,
        origin: state.recorder.verifier().name().to_owned(),
        from: asking.number("from", 0),
        size: state.recorder.size(),
        format,
        filter,
        now: (state.now)(),
    };
    let (sender, receiver) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || source.send(&sender, permit));
    let kind = match format {
        Format::Ocsf | Format::CloudEvents | Format::Otlp | Format::Azure => "application/x-ndjson",
        Format::Cef | Format::Syslog => "text/plain; charset=utf-8",
    };
    Ok(([(header::CONTENT_TYPE, kind)], Body::new(Pieces(receiver))).into_response())
}

/// What is exported.
struct Source {
    reader: Reader<Place>,
    origin: String,
    from: u64,
    size: u64,
    format: Format,
    filter: Filter,
    now: Timestamp,
}

impl Source {
    /// The mark of what was archived, if that was asked for.
    fn begin(&self) -> Vec<u8> {
        let mut piece = Vec::with_capacity(PIECE);
        let first = self.reader.first().min(self.size);
        if self.from < first {
            let gap = Gap { from: self.from, to: first, reason: "they were archived".to_owned() };
            gap.write(self.format, &self.origin, self.now, &mut piece);
            piece.push(b'\n');
        }
        piece
    }

    /// Sends all of it, or ends when nobody listens any more.
    fn send(&self, to: &mpsc::Sender<Result<Bytes, Error>>, _running: OwnedSemaphorePermit) {
        let mut piece = self.begin();
        for bundle in self.reader.entries(self.from.max(self.reader.first())..self.size, self.size) {
            let bundle = match bundle {
                Ok(bundle) => bundle,
                Err(wrong) => {
                    tracing::error!(error = %wrong, "an export was cut off");
                    let _gone = to.blocking_send(Err(wrong.into()));
                    return;
                }
            };
            for (index, entry) in bundle.iter().filter(|(_, entry)| self.filter.may_match(entry)) {
                self.write(index, entry, &mut piece);
            }
            if piece.len() >= PIECE && to.blocking_send(Ok(std::mem::take(&mut piece).into())).is_err() {
                return;
            }
        }
        let _gone = to.blocking_send(Ok(piece.into()));
    }

    /// Adds an entry, if it is meant. One that this version cannot read leaves a mark, not a hole.
    fn write(&self, index: u64, entry: &[u8], piece: &mut Vec<u8>) {
        match Record::parse(entry) {
            Ok(record) if self.filter.matches(&record) => {
                export::write(self.format, index, &self.origin, &record, entry, piece);
            }
            Ok(_) => return,
            Err(wrong) => {
                let gap = Gap { from: index, to: index + 1, reason: wrong.to_string() };
                gap.write(self.format, &self.origin, self.now, piece);
            }
        }
        piece.push(b'\n');
    }
}

/// A body out of what a thread sends.
struct Pieces(mpsc::Receiver<Result<Bytes, Error>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
