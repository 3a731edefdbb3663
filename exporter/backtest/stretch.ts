/** The times that are asked for, in Unix seconds; both ends are multiples of the step. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}
