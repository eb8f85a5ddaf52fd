//! The contract of [`EmbeddingModel`].

use std::sync::Arc;

use edge_ai_core::{EmbeddingModel, EmbeddingOutput, EmbeddingPurpose, EmbeddingRequest, ErrorKind};

use super::fails_with;
use crate::case::{cases, ensure};
use crate::{Case, Check, Must, Stop, Subject};

const TEXTS: [&str; 3] = [
    "The capital of France is Paris.",
    "Bread is baked from flour, water and salt.",
    "A comet is made of ice and dust.",
];

/// An embedding model under test.
#[derive(Clone, Debug)]
pub struct EmbeddingModelSubject {
    embeddings: Arc<dyn EmbeddingModel>,
    model: String,
    unknown_model: Option<String>,
    dimensions: Option<usize>,
    batch: usize,
    reports_usage: bool,
}

impl EmbeddingModelSubject {
    /// An implementation, and the model to ask for. A vendor's limit of 100 inputs a call is assumed.
    pub fn new(embeddings: impl EmbeddingModel, model: impl Into<String>) -> Self {
        Self {
            embeddings: Arc::new(embeddings),
            model: model.into(),
            unknown_model: None,
            dimensions: None,
            batch: 100,
            reports_usage: true,
        }
    }

    /// The length of the model's vectors.
    #[must_use]
    pub fn with_dimensions(self, dimensions: usize) -> Self {
        Self {
            dimensions: Some(dimensions),
            ..self
        }
    }

    /// The most inputs that the vendor takes in one call; the suite sends more.
    #[must_use]
    pub fn with_batch(self, inputs: usize) -> Self {
        Self {
            batch: inputs,
            ..self
        }
    }

    /// A name that no model has, for an implementation that serves several.
    #[must_use]
    pub fn with_unknown_model(self, model: impl Into<String>) -> Self {
        Self {
            unknown_model: Some(model.into()),
            ..self
        }
    }

    /// The vendor does not say what an embedding took.
    #[must_use]
    pub fn without_usage(self) -> Self {
        Self {
            reports_usage: false,
            ..self
        }
    }

    async fn embed<T: Into<String>>(
        &self,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<EmbeddingOutput, Stop> {
        let request = EmbeddingRequest::new(self.model.clone(), texts);
        Ok(self
            .embeddings
            .embed(request)
            .await
            .must("`embed` answers for texts")?
            .into_inner())
    }
}

impl Subject for EmbeddingModelSubject {
    fn enter(&mut self, _: &'static str) {}
}

/// The cases.
pub fn cases() -> Vec<Case<EmbeddingModelSubject>> {
    cases![
        there_is_one_vector_for_each_input,
        all_vectors_have_one_length,
        values_are_finite_and_not_all_zero,
        vectors_are_in_the_order_of_the_inputs,
        equal_inputs_have_equal_vectors,
        inputs_over_the_vendors_number_are_split,
        a_purpose_is_taken,
        long_and_unusual_texts_are_taken,
        no_inputs_are_an_invalid_request,
        an_empty_input_is_an_invalid_request,
        an_unknown_model_is_not_found,
        the_answer_names_its_model,
        usage_is_told,
    ]
}

async fn there_is_one_vector_for_each_input(subject: EmbeddingModelSubject) -> Check {
    for count in 1..=TEXTS.len() {
        let vectors = subject
            .embed(TEXTS.into_iter().take(count))
            .await?
            .embeddings
            .len();
        ensure!(
            vectors == count,
            "there is one vector for each of {count} inputs, not {vectors}"
        );
    }
    Ok(())
}

async fn all_vectors_have_one_length(subject: EmbeddingModelSubject) -> Check {
    let output = subject.embed(TEXTS).await?;
    let lengths: Vec<_> = output.embeddings.iter().map(Vec::len).collect();
    let expected = subject
        .dimensions
        .or(lengths.first().copied())
        .unwrap_or_default();
    let same = expected > 0 && lengths.iter().all(|length| *length == expected);
    ensure!(
        same,
        "all vectors have one length, {expected}, but they have {lengths:?}"
    );
    Ok(())
}

async fn values_are_finite_and_not_all_zero(subject: EmbeddingModelSubject) -> Check {
    for vector in subject.embed(TEXTS).await?.embeddings {
        ensure!(
            vector.iter().all(|value| value.is_finite()),
            "the values of a vector are finite"
        );
        ensure!(
            vector.iter().any(|value| *value != 0.0),
            "the vector of a text is not all zeros"
        );
    }
    Ok(())
}

async fn vectors_are_in_the_order_of_the_inputs(subject: EmbeddingModelSubject) -> Check {
    let together = subject.embed(TEXTS).await?.embeddings;
    let backwards = subject.embed(TEXTS.into_iter().rev()).await?.embeddings;
    for (index, (vector, same)) in together.iter().zip(backwards.iter().rev()).enumerate() {
        ensure!(
            nearly_equal(vector, same),
            "vectors are in the order of their inputs, but {index} is elsewhere"
        );
    }
    let alone = subject.embed(TEXTS.into_iter().skip(1).take(1)).await?.embeddings;
    let agree = together
        .get(1)
        .zip(alone.first())
        .is_some_and(|(a, b)| nearly_equal(a, b));
    ensure!(agree, "an input has the same vector among others as alone");
    Ok(())
}

async fn equal_inputs_have_equal_vectors(subject: EmbeddingModelSubject) -> Check {
    let vectors = subject.embed([TEXTS[0], TEXTS[1], TEXTS[0]]).await?.embeddings;
    let [first, other, again] = &vectors[..] else {
        return Err(Stop::failed(
            "equal inputs are not merged: there is one vector for each",
        ));
    };
    ensure!(nearly_equal(first, again), "equal inputs have equal vectors");
    ensure!(
        !nearly_equal(first, other),
        "inputs that differ have vectors that differ"
    );
    Ok(())
}

async fn inputs_over_the_vendors_number_are_split(subject: EmbeddingModelSubject) -> Check {
    let count = subject.batch * 2 + 3;
    let text = |index: usize| format!("Document number {index} is about subject {}.", index * 7919);
    let vectors = subject.embed((0..count).map(text)).await?.embeddings;
    ensure!(
        vectors.len() == count,
        "{count} inputs are embedded in one call, not {}",
        vectors.len()
    );
    for index in [0, subject.batch - 1, subject.batch, count - 1] {
        let alone = subject.embed([text(index)]).await?.embeddings;
        let agree = vectors
            .get(index)
            .zip(alone.first())
            .is_some_and(|(a, b)| nearly_equal(a, b));
        ensure!(
            agree,
            "splitting keeps the order: input {index} has another vector than alone"
        );
    }
    Ok(())
}

async fn a_purpose_is_taken(subject: EmbeddingModelSubject) -> Check {
    for purpose in [EmbeddingPurpose::Query, EmbeddingPurpose::Document] {
        let request = EmbeddingRequest::new(subject.model.clone(), TEXTS).purpose(purpose);
        let output = subject
            .embeddings
            .embed(request)
            .await
            .must("a purpose is taken")?;
        ensure!(
            output.embeddings.len() == TEXTS.len(),
            "with a purpose there is one vector for each input"
        );
    }
    Ok(())
}

async fn long_and_unusual_texts_are_taken(subject: EmbeddingModelSubject) -> Check {
    let texts = [
        "x".to_owned(),
        "多言語のテキスト 🌍 e\u{301}".to_owned(),
        "words ".repeat(200),
        "line\nbreaks\t\"quoted\"".to_owned(),
    ];
    let count = texts.len();
    ensure!(
        subject.embed(texts).await?.embeddings.len() == count,
        "texts of any kind have their vectors"
    );
    Ok(())
}

async fn no_inputs_are_an_invalid_request(subject: EmbeddingModelSubject) -> Check {
    let request = EmbeddingRequest::new(subject.model.clone(), Vec::<String>::new());
    fails_with(
        subject.embeddings.embed(request).await,
        ErrorKind::InvalidRequest,
        "a request without inputs is refused",
    )
}

async fn an_empty_input_is_an_invalid_request(subject: EmbeddingModelSubject) -> Check {
    for texts in [vec![""], vec![TEXTS[0], ""], vec!["", TEXTS[0]]] {
        let request = EmbeddingRequest::new(subject.model.clone(), texts);
        let answer = subject.embeddings.embed(request).await;
        fails_with(
            answer,
            ErrorKind::InvalidRequest,
            "a request with an empty input is refused",
        )?;
    }
    Ok(())
}

async fn an_unknown_model_is_not_found(subject: EmbeddingModelSubject) -> Check {
    let Some(model) = subject.unknown_model else {
        return Err(Stop::skipped("the implementation serves a single model"));
    };
    let answer = subject
        .embeddings
        .embed(EmbeddingRequest::new(model, TEXTS))
        .await;
    fails_with(answer, ErrorKind::NotFound, "an unknown model is not found")
}

async fn the_answer_names_its_model(subject: EmbeddingModelSubject) -> Check {
    ensure!(
        !subject.embed(TEXTS).await?.model.is_empty(),
        "an answer names the model that gave it"
    );
    Ok(())
}

async fn usage_is_told(subject: EmbeddingModelSubject) -> Check {
    if !subject.reports_usage {
        return Err(Stop::skipped("the vendor does not say what an embedding took"));
    }
    let few = subject
        .embed(TEXTS)
        .await?
        .usage
        .must("an answer tells what it took")?;
    ensure!(few.input_tokens > 0, "embedding reads tokens");
    ensure!(
        few.output_tokens == 0,
        "embedding writes no tokens, not {}",
        few.output_tokens
    );
    let count = subject.batch * 2;
    let many = subject
        .embed((0..count).map(|_| TEXTS[0]))
        .await?
        .usage
        .must("a split answer tells what it took")?;
    ensure!(
        many.input_tokens >= count as u64,
        "the usage of a split answer is the sum of its parts"
    );
    Ok(())
}

/// Equal, but for the rounding of batched arithmetic.
fn nearly_equal(a: &[f32], b: &[f32]) -> bool {
    let scale = a
        .iter()
        .fold(f32::MIN_POSITIVE, |scale, value| scale.max(value.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= scale * 1e-2)
}
