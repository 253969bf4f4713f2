import Vips from "wasm-vips";
export default Vips;
