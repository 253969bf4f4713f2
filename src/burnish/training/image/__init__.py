"""What training on images needs beside the loop."""
