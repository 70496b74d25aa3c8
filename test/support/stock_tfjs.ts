// A stock program: tfjs alone, nothing of ours. Arguments: URL of model.json, file of the float32 input tensor.
import * as tf from "@tensorflow/tfjs";
const [url, file] = Deno.args;
const model = await tf.loadGraphModel(url);
const bytes = await Deno.readFile(file);
const shape = model.inputs[0].shape!.slice(1) as [number, number, number];
const input = tf.tensor4d(new Float32Array(bytes.buffer), [1, ...shape]);
const embedding = model.predict(input) as tf.Tensor;
console.log(JSON.stringify(Array.from(await embedding.data())));
