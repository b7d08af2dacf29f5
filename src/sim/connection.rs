//! One WebSocket of a client: the task that serves it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::fault::board::{Event, Order};
use super::fault::scope::Target;
use super::fault::sockets::{ErrorShape, SocketFault, StreamClass};
use super::feed::{Feed, Kind};
use super::heart::{Beat, Heart, Moment};
use super::mangle::Mangle;
use super::port::Peer;
use super::session::{Ending, Oddity, Outcome, Route, Session, Topic};
use super::socket::Sockets;
use super::stats::{SocketEnd, SocketStats, Violation};
use super::wire;
use super::world::World;
use crate::domain::time::{Mono, UnixMs};

/// How long a client may leave its socket full before it is dropped.
const PATIENCE: Duration = Duration::from_secs(10);
/// Streams served between two looks at the client's frames.
const BATCH: usize = 64;

/// Who opened a socket, and for what.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) peer: Peer,
    pub(crate) route: Route,
    pub(crate) path: String,
}

/// Whether the socket goes on.
enum Next {
    Continue,
    /// Torn, without a word.
    Drop,
    Close(CloseCode, Cow<'static, str>),
}

/// What passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Both,
    /// Nothing is read.
    Deaf(Option<UnixMs>),
    /// Nothing is read or written.
    Stopped(Option<UnixMs>),
}

pub(crate) struct Connection {
    world: Arc<World>,
    cancel: CancellationToken,
    client: Client,
    socket: WebSocketStream<TokioIo<Upgraded>>,
    session: Session,
    feed: Feed,
    mangle: Mangle,
    heart: Heart,
    flow: Flow,
    /// Answers that come late, and when.
    late: VecDeque<(Instant, String)>,
    /// When it is closed, after that was announced.
    closing: Option<UnixMs>,
    /// How many of its streams the statistics hold.
    counted: u64,
    /// Which one it is, counted from 1 as they were opened.
    number: u64,
}

impl Connection {
    pub(crate) fn new(sockets: Sockets, client: Client, socket: WebSocketStream<TokioIo<Upgraded>>) -> Self {
        let Sockets { world, cancel } = sockets;
        let route = client.route;
        let number = world.open(route.market, &client.path);
        let born = Moment { ours: world.stopwatch.now(), theirs: world.now() };
        Self {
            number,
            cancel,
            session: Session::new(route),
            feed: Feed::new(route.market, number, &client.path),
            mangle: Mangle::default(),
            heart: Heart::new(route.market, born),
            flow: Flow::Both,
            late: VecDeque::new(),
            closing: None,
            counted: 0,
            world,
            client,
            socket,
        }
    }

    pub(crate) async fn run(mut self, names: Vec<String>) {
        let row = SocketStats::new(self.client.route.market, &self.client.path);
        self.world.count(|s| s.socket_opened(self.number, row));
        let outcome = self.session.take_url(names, &self.world.truth);
        let next = self.take(outcome).await;
        let end = match next {
            Next::Continue => self.serve().await,
            end => end,
        };
        self.world.closed(self.number);
        let ended = match &end {
            Next::Close(code, _) => SocketEnd::Closed(u16::from(*code)),
            _ => SocketEnd::Torn,
        };
        self.world.count(|s| s.socket_ended(self.number, self.counted, ended));
        if let Next::Close(code, reason) = end {
            self.say_goodbye(code, reason).await;
        }
    }

    async fn say_goodbye(&mut self, code: CloseCode, reason: Cow<'static, str>) {
        let frame = CloseFrame { code, reason: reason.as_ref().into() };
        let goodbye = async {
            self.socket.close(Some(frame)).await?;
            // What the client had sent is read, for a socket closed over unread bytes is reset,
            // and the closing frame lost with it.
            while !self.cancel.is_cancelled()
                && let Some(message) = self.socket.next().await
            {
                message?;
            }
            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
        };
        // The client may be gone or not answer: nothing more can be done for it.
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }

    async fn serve(&mut self) -> Next {
        let mut changes = self.world.changes();
        let cancel = self.cancel.clone();
        loop {
            for order in self.world.orders(self.number) {
                match self.obey(order).await {
                    Next::Continue => {}
                    end => return end,
                }
            }
            self.look_at_flow();
            let (reads, writes) = (self.flow == Flow::Both, !matches!(self.flow, Flow::Stopped(_)));
            let far = Instant::now() + Duration::from_secs(3_600);
            let due = self.instant(self.feed.next_due()).unwrap_or(far);
            let timer = self.next_timer().unwrap_or(far);
            let next = tokio::select! {
                () = cancel.cancelled() => Next::Close(CloseCode::Away, "the exchange goes down".into()),
                _ = changes.changed() => {
                    self.feed.reset(self.world.stopwatch.now());
                    Next::Continue
                }
                message = self.socket.next(), if reads => match message {
                    Some(Ok(message)) => self.message(message).await,
                    Some(Err(_)) | None => Next::Drop,
                },
                () = sleep_until(due), if writes => self.send_due().await,
                () = sleep_until(timer) => self.timers().await,
            };
            match next {
                Next::Continue => {}
                end => return end,
            }
        }
    }

    fn instant(&self, at: Option<Mono>) -> Option<Instant> {
        at.map(|at| Instant::from_std(self.world.stopwatch.instant(at)))
    }

    /// The earliest of what waits for a time, besides data.
    fn next_timer(&self) -> Option<Instant> {
        let when = |t: UnixMs| self.world.when(t);
        if let Flow::Stopped(until) = self.flow {
            return self.instant(until.and_then(when));
        }
        let until = match self.flow {
            Flow::Deaf(until) => until.and_then(when),
            _ => None,
        };
        let clock = [self.heart.next(when), self.closing.and_then(when), until];
        let clock = self.instant(clock.into_iter().flatten().min());
        clock.into_iter().chain(self.late.front().map(|(at, _)| *at)).min()
    }

    /// Lets what was stopped go on when its time is over.
    fn look_at_flow(&mut self) {
        if let Flow::Deaf(Some(until)) | Flow::Stopped(Some(until)) = self.flow
            && self.world.now() >= until
        {
            self.flow = Flow::Both;
        }
    }

    async fn timers(&mut self) -> Next {
        self.look_at_flow();
        if matches!(self.flow, Flow::Stopped(_)) {
            return Next::Continue;
        }
        let now = Instant::now();
        while self.late.front().is_some_and(|(at, _)| *at <= now) {
            let answers = self.late.pop_front().map(|(_, text)| Message::Text(text.into()));
            match self.send(answers.into_iter().collect()).await {
                Next::Continue => {}
                end => return end,
            }
        }
        let theirs = self.world.now();
        if self.closing.is_some_and(|at| theirs >= at) {
            return Next::Close(CloseCode::Away, "server shutdown".into());
        }
        match self.heart.beat(Moment { ours: self.world.stopwatch.now(), theirs }) {
            None => Next::Continue,
            Some(Beat::Ping(payload)) => {
                self.note(|s| s.pings += 1);
                self.send(vec![Message::Ping(payload.into())]).await
            }
            Some(Beat::Deaf) => {
                self.world.violation(Violation::NoPong);
                Next::Close(CloseCode::Policy, "Pong timeout".into())
            }
            Some(Beat::Old) => match self.send_due().await {
                Next::Continue => Next::Close(CloseCode::Away, "24 hours".into()),
                end => end,
            },
        }
    }

    /// Does what a fault wants to be done at once.
    async fn obey(&mut self, order: Order) -> Next {
        let (fault, until) = match order {
            Order::Heal => {
                self.flow = Flow::Both;
                return Next::Continue;
            }
            Order::Do { fault, until } => (fault, until),
        };
        match fault {
            SocketFault::WsClose { code, reason } if code != 1006 => {
                return Next::Close(CloseCode::from(code), reason.into());
            }
            SocketFault::WsReset {} => {
                self.client.peer.reset();
                return Next::Drop;
            }
            SocketFault::HalfOpen {} => self.flow = Flow::Stopped(until),
            SocketFault::NoPong {} => self.flow = Flow::Deaf(until),
            SocketFault::ServerShutdown { close_after_ms } => {
                let now = self.world.now();
                self.closing = close_after_ms.map(|ms| UnixMs(now.0.saturating_add(ms)));
                let text = wire::server_shutdown(now, self.session.combined());
                return self.send(vec![Message::Text(text.into())]).await;
            }
            _ => return Next::Drop,
        }
        Next::Continue
    }

    fn note(&self, change: impl FnOnce(&mut SocketStats)) {
        self.world.count(|s| {
            s.sockets.get_mut(&self.number).map(change);
        });
    }

    fn target(&self) -> Target<'_> {
        Target {
            market: Some(self.client.route.market),
            connection: Some(self.number),
            route: Some(&self.client.path),
            ..Target::default()
        }
    }

    async fn message(&mut self, message: Message) -> Next {
        if matches!(message, Message::Close(_)) {
            return Next::Continue; // the next read ends the stream, after the answer is out
        }
        let over = self.session.over_rate(self.world.stopwatch.now());
        let rate = self.session.rate();
        self.note(|s| s.max_messages_a_second = s.max_messages_a_second.max(rate));
        if over {
            self.world.violation(Violation::MessageRate);
            return Next::Close(CloseCode::Policy, "Too many requests".into());
        }
        match message {
            Message::Text(text) => self.text(text.as_str()).await,
            Message::Pong(payload) => {
                let took = self.heart.pong(&payload, self.world.stopwatch.now());
                self.note(|s| match took {
                    Some(took) => {
                        s.pongs += 1;
                        s.max_pong_ms =
                            s.max_pong_ms.max(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
                    }
                    None => s.unsolicited_pongs += 1,
                });
                Next::Continue
            }
            // The answer to a ping is queued by the library and goes out with a flush.
            Message::Ping(_) => self.send(Vec::new()).await,
            Message::Binary(_) | Message::Frame(_) | Message::Close(_) => {
                self.world.violation(Violation::BadFrame);
                Next::Continue
            }
        }
    }

    async fn text(&mut self, text: &str) -> Next {
        let refused = self.world.strike(&self.target(), |f| match f {
            Fault::Socket(SocketFault::AckError { code, shape }) => Some((*code, *shape)),
            _ => None,
        });
        if let Some((code, shape)) = refused {
            let request: Value = serde_json::from_str(text).unwrap_or_default();
            let id = request.get("id").unwrap_or(&Value::Null);
            let error = match shape {
                ErrorShape::Wrapped => wire::socket_error,
                ErrorShape::Flat => wire::flat_error,
            };
            let answer = error(id, code, "Invalid request: invalid stream");
            return self.send(vec![Message::Text(answer.into())]).await;
        }
        let outcome = self.session.text(text, &self.world.truth);
        self.take(outcome).await
    }

    async fn take(&mut self, mut outcome: Outcome) -> Next {
        let dead = outcome.added.iter().filter(|(_, t)| *t == Topic::Nothing).count();
        let (before, after) = (self.counted, self.session.streams() as u64);
        self.counted = after;
        self.world.count(|s| {
            s.streams = s.streams + after - before;
            if dead > 0 {
                *s.violations.entry(Violation::DeadStream).or_default() += dead as u64;
            }
        });
        self.note(|s| s.streams = after);
        match outcome.oddity {
            Some(Oddity::TooLong) => self.world.violation(Violation::FrameTooLong),
            Some(Oddity::NotARequest) => self.world.violation(Violation::BadFrame),
            None => {}
        }
        for name in &outcome.removed {
            self.feed.remove(name);
        }
        let added = std::mem::take(&mut outcome.added);
        if !added.is_empty() {
            self.world.event(Event::Subscribe, &self.target());
        }
        for (name, topic) in added {
            let topic = if self.never_served(&name, topic) { Topic::Nothing } else { topic };
            self.feed.add(name, topic, &self.world);
        }
        if let Some(answer) = outcome.answer
            && let end @ (Next::Drop | Next::Close(..)) = self.answer(answer).await
        {
            return end;
        }
        match outcome.ending {
            None => Next::Continue,
            Some(Ending::TooManyStreams) => {
                self.world.violation(Violation::TooManyStreams);
                Next::Close(CloseCode::Policy, "Invalid request".into())
            }
        }
    }

    /// Whether a fault keeps a stream silent for good.
    fn never_served(&self, name: &str, topic: Topic) -> bool {
        let kind = match topic {
            Topic::Nothing => return false,
            Topic::Kline(..) => StreamClass::Kline,
            Topic::Figures(_) => StreamClass::Other,
        };
        let target = Target { stream: Some(name), ..self.target() };
        let dead = self.world.strike(&target, |f| match f {
            Fault::Socket(SocketFault::DeadSubscribe { class }) => {
                class.is_none_or(|only| only == kind).then_some(())
            }
            _ => None,
        });
        dead.is_some()
    }

    async fn answer(&mut self, text: String) -> Next {
        let fault = self.world.strike(&self.target(), |f| match f {
            Fault::Socket(
                f @ (SocketFault::AckLost {} | SocketFault::AckLate { .. } | SocketFault::AckTwice {}),
            ) => Some(f.clone()),
            _ => None,
        });
        let message = Message::Text(text.clone().into());
        match fault {
            Some(SocketFault::AckLost {}) => Next::Continue,
            Some(SocketFault::AckLate { by_ms }) => {
                self.late.push_back((Instant::now() + Duration::from_millis(by_ms), text));
                self.late.make_contiguous().sort_by_key(|(at, _)| *at);
                Next::Continue
            }
            Some(_) => self.send(vec![message.clone(), message]).await,
            None => self.send(vec![message]).await,
        }
    }

    async fn send_due(&mut self) -> Next {
        let frames = self.feed.frames(&self.world, BATCH);
        if frames.is_empty() {
            return Next::Continue;
        }
        let combined = self.session.combined();
        let (mut updates, mut closes) = (0, 0);
        let mut messages = Vec::with_capacity(frames.len());
        for frame in &frames {
            let target = self.feed.target(frame);
            let of_frame = self.mangle.messages(frame, combined, &target, &self.world);
            match frame.kind {
                Kind::Update if !of_frame.is_empty() => updates += 1,
                Kind::Close if !of_frame.is_empty() => closes += 1,
                _ => {}
            }
            messages.extend(of_frame);
        }
        let next = self.send(messages).await;
        self.world.count(|s| {
            s.updates += updates;
            s.closes += closes;
        });
        next
    }

    /// Writes and flushes; a client that does not read for [`PATIENCE`] is dropped, so that one of
    /// them holds up nobody else.
    async fn send(&mut self, messages: Vec<Message>) -> Next {
        let write = async {
            for message in messages {
                self.socket.feed(message).await?;
            }
            self.socket.flush().await
        };
        match timeout(PATIENCE, write).await {
            Ok(Ok(())) => Next::Continue,
            Ok(Err(_)) => Next::Drop,
            Err(_) => {
                self.world.violation(Violation::SlowReader);
                Next::Drop
            }
        }
    }
}
