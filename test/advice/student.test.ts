import { describe, expect, test } from "vitest";
import { bisect, studentCdf, studentQuantile } from "../../exporter/advice/student.ts";

// table 26.10 of Abramowitz and Stegun
describe("Student's t", () => {
  test.each([
    [1, 0.99, 31.821],
    [2, 0.99, 6.965],
    [3, 0.95, 2.353],
    [4, 0.99, 3.747],
    [9, 0.95, 1.833],
    [9, 0.99, 2.821],
    [30, 0.9, 1.31],
    [63, 0.99, 2.387],
  ])("with %d degrees of freedom has %f below %f", (degrees, probability, value) => {
    expect(studentCdf(value, degrees)).toBeCloseTo(probability, 3);
    expect(studentCdf(-value, degrees)).toBeCloseTo(1 - probability, 3);
    expect(studentQuantile(probability, degrees)).toBeCloseTo(value, 2);
  });

  test("goes from 0 to 1", () => {
    expect([-Infinity, 0, Infinity].map((value) => studentCdf(value, 5))).toEqual(
      [0, 0.5, 1].map((p) => expect.closeTo(p, 9)),
    );
  });
});

test("a bisection finds where an answer turns, and stays at the lower end where it never holds", () => {
  expect(bisect((value) => value ** 2 < 2, 0, 2)).toBeCloseTo(Math.SQRT2, 9);
  expect(bisect(() => false, 3, 4)).toBeCloseTo(3, 9);
});
