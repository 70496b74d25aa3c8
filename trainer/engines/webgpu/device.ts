import { tmpdir } from "node:os";
import { loadTensorFlowFirst } from "../tensorflow/addon.ts";

/**
 * The adapter to compute with: the fastest GPU, or a software driver where there is no other.
 *
 * @returns null if there is none
 */
export async function requestAdapter(): Promise<GPUAdapter | null> {
  await loadTensorFlowFirst();
  // Without one, drivers on Linux complain to the terminal.
  if (Deno.env.get("XDG_RUNTIME_DIR") === undefined) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  return await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? null;
}

/** A device with all that the adapter can give: the default limits fit no large batch. */
export function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const { limits } = adapter;
  return adapter.requestDevice({
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
      maxComputeWorkgroupSizeZ: limits.maxComputeWorkgroupSizeZ,
    },
  });
}

/** The adapter's name for a person, such as `NVIDIA H100 (WebGPU)`. */
export function nameOf({ description, device, vendor, isFallbackAdapter }: GPUAdapterInfo): string {
  const name = description || [vendor, device].filter(Boolean).join(" ") || "unnamed GPU";
  return `${name} (WebGPU${isFallbackAdapter ? ", in software" : ""})`;
}
