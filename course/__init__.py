"""What is taught: reads a course, composes its notebooks and proves its assignments."""
