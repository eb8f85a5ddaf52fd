use edge_ai_core::Dialect;

/// The dialect of `/v1/images/…`.
pub const IMAGES: Dialect = Dialect::new("openai.images");

/// The dialect of `/v1/audio/speech`.
pub const SPEECH: Dialect = Dialect::new("openai.speech");

/// The dialect of `/v1/audio/transcriptions` and `/v1/audio/translations`.
pub const TRANSCRIPTIONS: Dialect = Dialect::new("openai.transcriptions");

/// The dialect of `/v1/moderations`.
pub const MODERATIONS: Dialect = Dialect::new("openai.moderations");

/// The dialect of the WebSocket at `/v1/realtime`.
pub const REALTIME: Dialect = Dialect::new("openai.realtime");

/// Which of OpenAI's services for pictures, sound and moderation a server has, at OpenAI's paths and in its shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaServices {
    /// Makes pictures: [`IMAGES`].
    pub images: bool,
    /// Speaks: [`SPEECH`].
    pub speech: bool,
    /// Writes down what is said: [`TRANSCRIPTIONS`].
    pub transcriptions: bool,
    /// Judges content: [`MODERATIONS`].
    pub moderations: bool,
    /// Converses over a WebSocket: [`REALTIME`].
    pub realtime: bool,
}

impl MediaServices {
    /// None of them.
    pub const NONE: Self = Self {
        images: false,
        speech: false,
        transcriptions: false,
        moderations: false,
        realtime: false,
    };

    /// All of them, as OpenAI has.
    pub const ALL: Self = Self {
        images: true,
        speech: true,
        transcriptions: true,
        moderations: true,
        realtime: true,
    };

    /// Whether one of them is asked in `dialect`.
    pub fn speak(&self, dialect: &Dialect) -> bool {
        (self.images && *dialect == IMAGES)
            || (self.speech && *dialect == SPEECH)
            || (self.transcriptions && *dialect == TRANSCRIPTIONS)
            || (self.moderations && *dialect == MODERATIONS)
            || (self.realtime && *dialect == REALTIME)
    }
}
