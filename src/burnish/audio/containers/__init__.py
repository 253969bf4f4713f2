"""What files of sound hold beside their samples: found in the source, carried into the result byte for byte."""
