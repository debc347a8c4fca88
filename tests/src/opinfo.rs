//! Reads PyTorch's operator samples in `data/opinfo`, and those of `data/torch`, which have the same form.

use pullback::ndarray::ArrayD;
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// One call of an operator, as PyTorch answered it.
pub struct Sample {
    /// The operator and the position in its file, for messages.
    pub name: String,
    json: Value,
    tensors: Rc<Tensors>,
}

/// A safetensors file whose header was read once.
struct Tensors {
    header: Metadata,
    /// Of the whole file, and where the tensors begin in it.
    bytes: Vec<u8>,
    begin: usize,
}

/// The samples of an operator.
///
/// # Panics
/// If the files cannot be read.
pub fn samples(operator: &str) -> Vec<Sample> {
    samples_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/opinfo"), operator)
}

/// The samples of an operator in a folder of such files.
///
/// # Panics
/// If the files cannot be read.
pub fn samples_in(folder: &Path, operator: &str) -> Vec<Sample> {
    let read = |ending: &str| {
        let path = folder.join(format!("{operator}.{ending}"));
        fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let list: Vec<Value> = serde_json::from_slice(&read("json")).expect("a list of samples");
    let bytes = read("safetensors");
    let (size, header) = SafeTensors::read_metadata(&bytes).expect("a safetensors file");
    let tensors = Rc::new(Tensors { header, bytes, begin: size + size_of::<u64>() });
    let sample = |(i, json)| Sample { name: format!("{operator}[{i}]"), json, tensors: tensors.clone() };
    list.into_iter().enumerate().map(sample).collect()
}

impl Sample {
    /// A positional argument, if it was given.
    pub fn arg(&self, position: usize) -> Option<&Value> {
        self.json["args"].get(position).filter(|value| !value.is_null())
    }
    /// A keyword argument, if it was given.
    pub fn kwarg(&self, name: &str) -> Option<&Value> {
        self.json["kwargs"].get(name).filter(|value| !value.is_null())
    }
    /// The names of the keyword arguments.
    pub fn kwargs(&self) -> impl Iterator<Item = &str> {
        self.json["kwargs"].as_object().into_iter().flat_map(Map::keys).map(String::as_str)
    }
    /// A positional argument, or the keyword argument that may stand for it.
    pub fn either(&self, position: usize, name: &str) -> Option<&Value> {
        self.arg(position).or_else(|| self.kwarg(name))
    }
    /// A number among the keyword arguments.
    pub fn number(&self, name: &str, default: f64) -> f64 {
        self.kwarg(name).and_then(Value::as_f64).unwrap_or(default)
    }
    /// A tensor argument.
    pub fn tensor(&self, position: usize) -> Option<ArrayD<f64>> {
        self.arg(position).map(|value| self.floats(value))
    }
    /// A tensor among the keyword arguments.
    pub fn tensor_named(&self, name: &str) -> Option<ArrayD<f64>> {
        self.kwarg(name).map(|value| self.floats(value))
    }
    /// An integer tensor argument.
    pub fn labels(&self, position: usize) -> Option<ArrayD<i64>> {
        self.arg(position).map(|value| self.integers(value))
    }
    /// An integer tensor argument, if it is one.
    pub fn labels_if_any(&self, position: usize) -> Option<ArrayD<i64>> {
        let value = self.arg(position)?;
        (self.dtype(value) == Dtype::I64).then(|| self.integers(value))
    }
    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.json["outputs"].as_array().map_or(0, Vec::len)
    }
    /// An output.
    pub fn output(&self, position: usize) -> ArrayD<f64> {
        self.floats(&self.json["outputs"][position])
    }
    /// An output of integers.
    pub fn index_output(&self, position: usize) -> ArrayD<i64> {
        self.integers(&self.json["outputs"][position])
    }
    /// What was fed into an output.
    pub fn cotangent(&self, position: usize) -> ArrayD<f64> {
        self.cotangent_of(position).unwrap_or_else(|| panic!("{}: no cotangent of output {position}", self.name))
    }
    /// What was fed into an output, if anything was.
    pub fn cotangent_of(&self, position: usize) -> Option<ArrayD<f64>> {
        self.entry("cotangents", &format!("out{position}"))
    }
    /// All gradients (`grads`), or all arguments after the call (`written`), by the arguments' names.
    pub fn entries(&self, table: &str) -> Vec<(String, ArrayD<f64>)> {
        let entries = self.json.get(table).and_then(Value::as_object).into_iter().flatten();
        entries.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), self.floats(value))).collect()
    }
    /// The gradient of a positional argument, where PyTorch gives one.
    pub fn grad(&self, position: usize) -> Option<ArrayD<f64>> {
        self.entry("grads", &format!("arg{position}"))
    }
    /// A positional argument after the call, where it was written to.
    pub fn written(&self, position: usize) -> Option<ArrayD<f64>> {
        self.entry("written", &format!("arg{position}"))
    }

    fn entry(&self, table: &str, name: &str) -> Option<ArrayD<f64>> {
        let value = self.json.get(table)?.get(name)?;
        (!value.is_null()).then(|| self.floats(value))
    }
    fn dtype(&self, value: &Value) -> Dtype {
        self.view(value).dtype()
    }
    fn view(&self, value: &Value) -> TensorView<'_> {
        let key = value["tensor"].as_str().unwrap_or_else(|| panic!("{}: {value} is no tensor", self.name));
        let Tensors { header, bytes, begin } = &*self.tensors;
        let info = header.info(key).expect("the tensor named by the sample");
        let (from, to) = info.data_offsets;
        let bytes = &bytes[begin + from..begin + to];
        TensorView::new(info.dtype, info.shape.clone(), bytes).expect("as many bytes as the shape says")
    }
    fn floats(&self, value: &Value) -> ArrayD<f64> {
        self.array(value, Dtype::F64, f64::from_le_bytes)
    }
    fn integers(&self, value: &Value) -> ArrayD<i64> {
        self.array(value, Dtype::I64, i64::from_le_bytes)
    }
    fn array<T>(&self, value: &Value, dtype: Dtype, of: fn([u8; 8]) -> T) -> ArrayD<T> {
        let view = self.view(value);
        assert_eq!(view.dtype(), dtype, "{}: {value}", self.name);
        let (words, rest) = view.data().as_chunks::<8>();
        assert!(rest.is_empty());
        ArrayD::from_shape_vec(view.shape(), words.iter().copied().map(of).collect()).expect("as many as the shape says")
    }
}

/// `D` integers, or one for all: PyTorch's `kernel_size=3` and `kernel_size=[3, 2]`; `None` for an empty list.
pub fn tuple<const D: usize>(value: &Value) -> Option<[usize; D]> {
    let at = |v: &Value| v.as_u64().map(|n| n as usize);
    let list: Vec<usize> = match value {
        Value::Array(list) if list.len() == 1 => vec![at(&list[0])?; D],
        Value::Array(list) => list.iter().map(at).collect::<Option<_>>()?,
        one => vec![at(one)?; D],
    };
    list.try_into().ok()
}
