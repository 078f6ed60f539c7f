"""What is worth keeping: scorers turn photos and pairs into numbers, decisions turn numbers into verdicts."""
