"""What methods did to items, by any metrics: the board, its words, its pages."""
